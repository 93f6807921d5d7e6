// Tests that a copied run earns its writer neither standing nor pay nor credit.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/index/index_fixture.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;

// Eve copies Bob's run; her name is read before his.
class OriginalRunTest : public IndexTest {
protected:
    OriginalRunTest() : bob_(stranger("bob")), eve_(stranger("adam")) {}

    cultivar::Run run_of(const Stranger& who, const Genes& changes, double val_loss, int replicate = 0) {
        auto run = scored_run(ann_.task, who.writer, changes, val_loss, replicate);
        run.artifact = std::string(58, 'a') + fmt::format("{:06x}", ++made_);
        return run;
    }
    cultivar::Run copy_of(cultivar::Run run, const Stranger& who) {
        run.writer = who.writer;
        run.artifact = std::string(58, 'c') + fmt::format("{:06x}", ++made_);
        run.ended = "2020-01-01T00:00:00Z";  // anybody may say so
        return run;
    }
    // Publishes the run with its claim, which Ann accepts.
    void publish_accepted(const Stranger& who, const cultivar::Run& run) {
        publish_judged(who, run, VerdictResult::accepted);
    }
    void publish_judged(const Stranger& who, const cultivar::Run& run, VerdictResult result) {
        Claim claim = claim_of(ann_, {run});
        claim.writer = who.writer, claim.at = fmt::format("2026-11-21T05:00:{:02}Z", made_);
        publish(who, {run, claim});
        Verdict verdict;
        verdict.claim = record_id(to_line(claim)), verdict.task = ann_.task_id, verdict.candidate = run.candidate;
        verdict.artifact = run.artifact, verdict.result = result, verdict.tier = Tier::replay;
        verdict.reason = "because", verdict.verifier = ann_.writer, verdict.slice = std::string(64, '4');
        verdict.at = fmt::format("2026-11-22T05:00:{:02}Z", made_);
        must(append_log(ann_.repo, ann_.ledger_ref(), {to_line(verdict)}, ann_.identity(), ann_.key));
    }
    // Says when this clone first saw all records of the logs, as its book outside the index does.
    void seen_at(const std::vector<std::pair<Stranger, int>>& logs) {
        std::string book;
        for (const auto& [who, at_s] : logs) book += fmt::format("{} 100 {}\n", at_s, who.ref);
        std::filesystem::create_directories(ann_.seen_dir());
        must(write_file_atomically(ann_.seen_dir() + "first", book));
        rebuilt();
    }
    // Keys of claims that earn standing, in the order of their verdicts.
    std::vector<std::string> earning() {
        Index index = must(Index::open(ann_));
        std::vector<std::string> keys;
        for (const JudgedClaim& one : must(index.judged_claims())) {
            if (one.fresh) keys.push_back(one.key);
        }
        return keys;
    }
    Contributor contributor(const Stranger& who) {
        Index index = must(Index::open(ann_));
        for (const Contributor& one : must(index.contributors())) {
            if (one.key == who.key.fingerprint()) return one;
        }
        throw std::runtime_error("no such contributor");
    }
    // Writers of runs that are of keys with verified runs.
    std::set<std::string> proven() {
        Index index = must(Index::open(ann_));
        std::set<std::string> writers;
        for (const RunSummary& run : must(index.summaries("cpu-20s-e10.5"))) {
            if (run.of_proven_key) writers.insert(run.writer);
        }
        return writers;
    }
    double paying_s() { return must(must(Index::open(ann_)).totals()).paying_s; }

    Stranger bob_, eve_;
    int made_ = 0;
};

TEST_F(OriginalRunTest, ACopyEarnsNothingThoughItIsJudgedFirst) {
    auto run = run_of(bob_, {}, 2.0);
    publish_accepted(eve_, copy_of(run, eve_));
    publish_accepted(bob_, run);
    seen_at({{bob_, 1000}, {eve_, 2000}});
    EXPECT_THAT(earning(), ElementsAre(bob_.key.fingerprint()));
    EXPECT_EQ(contributor(eve_).valid, 0);
    EXPECT_EQ(contributor(bob_).valid, 1);
    EXPECT_DOUBLE_EQ(paying_s(), run.wall_s) << "Bob's search alone pays for verification";
}

TEST_F(OriginalRunTest, TheSearchKnowsTheKeysWithAVerifiedRun) {
    const auto run = run_of(bob_, {}, 2.0);
    publish(bob_, {run_of(bob_, {{"optim.lr", 0.1}}, 1.9)});
    publish_accepted(eve_, copy_of(run, eve_));
    EXPECT_THAT(proven(), ElementsAre(eve_.writer)) << "nobody else has published it yet";
    publish_accepted(bob_, run);
    seen_at({{bob_, 1000}, {eve_, 2000}});
    EXPECT_THAT(proven(), ElementsAre(bob_.writer));
    publish_judged(bob_, run_of(bob_, {{"optim.lr", 0.2}}, 1.1), VerdictResult::rejected);
    rebuilt();
    EXPECT_THAT(proven(), ElementsAre());
}

TEST_F(OriginalRunTest, ACopyOfARunThatNobodyHasJudgedYetEarnsNothing) {
    const auto run = run_of(bob_, {}, 2.0);
    publish(bob_, {run});
    publish_accepted(eve_, copy_of(run, eve_));
    seen_at({{bob_, 1000}, {eve_, 2000}});
    EXPECT_THAT(earning(), ElementsAre());
    EXPECT_EQ(paying_s(), 0);
}

TEST_F(OriginalRunTest, AFindIsOfTheFirstRunThatIsVerifiedWhicheverClaimIsJudgedFirst) {
    const auto root = run_of(bob_, {}, 2.0);
    publish_accepted(bob_, root);
    auto find = run_of(bob_, {{"optim.lr", 0.1}}, 1.9), next = run_of(eve_, {{"optim.lr", 0.1}}, 1.9, 1);
    find.parents = next.parents = {root.candidate};
    publish_accepted(eve_, next);
    ++made_;
    publish_accepted(bob_, find);
    seen_at({{bob_, 1000}, {eve_, 2000}});
    EXPECT_EQ(contributor(eve_).valid, 1) << "she trained it herself";
    EXPECT_EQ(contributor(eve_).gain_found, 0);
    EXPECT_GT(contributor(bob_).gain_found, 0);
}

TEST_F(OriginalRunTest, OfTwoStrangersThatCameByOnePullNeitherEarns) {
    const auto run = run_of(bob_, {}, 2.0);
    publish_accepted(bob_, run);
    publish_accepted(eve_, copy_of(run, eve_));
    seen_at({{bob_, 1000}, {eve_, 1000}});
    EXPECT_THAT(earning(), ElementsAre());
    // Bob has work that nobody else has.
    publish_accepted(bob_, run_of(bob_, {{"optim.lr", 0.1}}, 1.9));
    seen_at({{bob_, 1000}, {eve_, 1000}});
    EXPECT_THAT(earning(), ElementsAre(bob_.key.fingerprint(), bob_.key.fingerprint()));
}

TEST_F(OriginalRunTest, AnInventedScoreTakesNothingFromTheRunThatIsVerified) {
    publish(eve_, {run_of(eve_, {}, 1.5)});
    publish_accepted(bob_, run_of(bob_, {}, 2.0));
    seen_at({{eve_, 1000}, {bob_, 2000}});
    EXPECT_THAT(earning(), ElementsAre(bob_.key.fingerprint()));
}

// The candidate of a run is known from its lease, and so many scores can be invented that one is right.
TEST_F(OriginalRunTest, AForetoldScoreTakesNothingFromTheRunThatIsVerified) {
    const auto run = run_of(bob_, {}, 2.0);
    auto guess = copy_of(run, eve_);
    guess.chunk_loss_sums[0] *= 1.01, guess.chunk_loss_sums[1] *= 0.99;
    publish(eve_, {guess});
    publish_accepted(bob_, run);
    seen_at({{eve_, 1000}, {bob_, 2000}});
    EXPECT_THAT(earning(), ElementsAre(bob_.key.fingerprint()));
}

// A new clone meets a run and the copies that were made of it later by one pull.
TEST_F(OriginalRunTest, InANewCloneTheOneThatWasAcceptedFirstEarns) {
    constexpr int kNextYear_s = 1'830'000'000;
    const auto run = run_of(bob_, {}, 2.0);
    publish_accepted(bob_, run);
    const auto copy = copy_of(run, eve_);
    publish(eve_, {copy});
    seen_at({{bob_, kNextYear_s}, {eve_, kNextYear_s}});
    EXPECT_THAT(earning(), ElementsAre(bob_.key.fingerprint()));
    EXPECT_EQ(contributor(bob_).valid, 1);
    publish_accepted(eve_, copy);
    for (char digit : std::string("0123456789abcdef")) {
        must(write_file_atomically(ann_.seen_dir() + "order", std::string(32, digit)));
        seen_at({{bob_, kNextYear_s}, {eve_, kNextYear_s}});
        EXPECT_THAT(earning(), ElementsAre(bob_.key.fingerprint()));
        Index index = must(Index::open(ann_));
        EXPECT_EQ(must(index.standings()).at(0).contributor, bob_.writer);
    }
}

TEST_F(OriginalRunTest, AnotherReplicateEarnsAndTheSameOneAgainDoesNot) {
    publish_accepted(bob_, run_of(bob_, {}, 2.0));
    publish_accepted(bob_, run_of(bob_, {}, 2.0));  // under another id
    publish_accepted(eve_, run_of(eve_, {}, 2.0, 1));
    EXPECT_THAT(earning(), ElementsAre(bob_.key.fingerprint(), eve_.key.fingerprint()));
    EXPECT_EQ(contributor(bob_).valid, 1);
}

}  // namespace
}  // namespace cultivar
