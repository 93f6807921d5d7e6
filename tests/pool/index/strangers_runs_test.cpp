// Tests that runs which nobody verified change no figure of others: no score, no contributor, no parents, no gain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "tests/pool/index/index_fixture.h"

namespace cultivar {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

// Ann is the verifier; Bob is honest, Eve is not.
class StrangersRunsTest : public IndexTest {
protected:
    cultivar::Run run_of(const Stranger& who, const Genes& changes, double val_loss, int replicate = 0,
                         std::vector<std::string> parents = {}) {
        auto run = scored_run(ann_.task, who.writer, changes, val_loss, replicate);
        run.artifact = sha256_hex(fmt::format("weights {}", ++made_));
        run.parents = std::move(parents);
        return run;
    }
    Claim claim_by(const Stranger& who, const cultivar::Run& run) const {
        Claim claim = claim_of(ann_, {run});
        claim.writer = who.writer;
        return claim;
    }
    void judge(const Claim& claim, const std::string& result, const std::string& at = "2026-11-21T06:00:00Z") {
        Verdict said;
        said.claim = record_id(to_line(claim)), said.task = ann_.task_id, said.candidate = claim.candidate;
        said.artifact = claim.artifact, said.result = *verdict_result_of(result), said.tier = Tier::rescore;
        said.reason = "judged", said.verifier = ann_.writer, said.at = at, said.slice = std::string(64, '4');
        must(append_log(ann_.repo, ann_.ledger_ref(), {to_line(said)}, ann_.identity(), ann_.key));
    }
    // A claim of an accepted run of Bob's or Eve's.
    cultivar::Run accepted(const Stranger& who, const Genes& changes, double val_loss,
                           std::vector<std::string> parents = {}) {
        auto run = run_of(who, changes, val_loss, 0, std::move(parents));
        const Claim claim = claim_by(who, run);
        publish(who, {run, claim});
        judge(claim, "accepted");
        return run;
    }
    // When this clone first saw the records of a log: so many at that time.
    void saw(const std::vector<std::tuple<int, int, std::string>>& times) {
        must(Index::open(ann_));
        std::string lines;
        for (const auto& [at_s, count, ref] : times) lines += fmt::format("{} {} {}\n", at_s, count, ref);
        must(write_file_atomically(ann_.seen_dir() + "first", lines));
        rebuilt();
    }
    Standing standing_of(const std::string& candidate) {
        Index index = must(Index::open(ann_));
        for (const Standing& row : must(index.standings())) {
            if (row.candidate == candidate) return row;
        }
        throw std::runtime_error("no such standing");
    }
    double gain_of(const Stranger& who) {
        Index index = must(Index::open(ann_));
        for (const Contributor& row : must(index.contributors())) {
            if (row.key == who.key.fingerprint()) return row.gain_found;
        }
        throw std::runtime_error("no such contributor");
    }
    std::vector<std::string> parents_of(const std::string& candidate) {
        Index index = must(Index::open(ann_));
        return must(index.candidate(candidate))->parents;
    }

    int made_ = 0;
    Stranger bob_ = stranger("bob"), eve_ = stranger("eve");
};

TEST_F(StrangersRunsTest, ShowNoNameOfAFigureThatTheTaskDoesNotDeclare) {
    const Stranger eve = stranger("eve");
    auto run = run_of(eve, {}, 2.0);
    run.metrics["trust me"] = 1;
    publish(eve, {run});
    Index index = must(Index::open(ann_));
    ASSERT_EQ(must(index.runs()).size(), 1U) << "it is a run like others";
    EXPECT_TRUE(must(index.runs()).front().run.metrics.empty());
}

TEST_F(StrangersRunsTest, EnterNoMeanWithThoseOfTheFirstWriter) {
    const auto run = run_of(bob_, {}, 2.0), again = run_of(bob_, {}, 2.1, 1);
    publish(bob_, {run, again});
    publish(eve_, {run_of(eve_, {}, 900, 2)});
    saw({{1000, 2, bob_.ref}, {2000, 1, eve_.ref}});
    const Standing standing = standing_of(run.candidate);
    EXPECT_EQ(standing.contributor, bob_.writer);
    EXPECT_EQ(standing.runs, 2);
    EXPECT_THAT(standing.val_bpb, DoubleNear((*run.val_bpb + *again.val_bpb) / 2, 1e-9));
}

TEST_F(StrangersRunsTest, YieldToThoseOfThisClone) {
    publish(eve_, {run_of(eve_, {}, 0.5), run_of(eve_, {}, 0.5, 1)});
    must(Index::open(ann_));
    const auto run = run_by(ann_, {}, 2.0, 2);
    spool(ann_, run);
    const Standing standing = standing_of(run.candidate);
    EXPECT_EQ(standing.contributor, ann_.writer);
    EXPECT_EQ(standing.runs, 1);
    EXPECT_EQ(standing.val_bpb, *run.val_bpb);
}

// A lease tells everybody the candidate before its run is over.
TEST_F(StrangersRunsTest, ComeAfterTheWriterOfAnEarlierLease) {
    const auto run = run_of(bob_, {}, 2.0);
    Lease lease;
    lease.task = ann_.task_id, lease.candidate = run.candidate, lease.category = run.category;
    lease.budget_s = run.budget_s, lease.writer = bob_.writer, lease.at = "2026-11-21T04:00:00Z";
    publish(bob_, {lease});
    publish(eve_, {run_of(eve_, {}, 900)});
    publish(bob_, {run});
    saw({{1000, 1, bob_.ref}, {2000, 1, eve_.ref}, {3000, 2, bob_.ref}});
    EXPECT_EQ(standing_of(run.candidate).contributor, bob_.writer);
    saw({{2000, 1, eve_.ref}, {3000, 2, bob_.ref}});
    EXPECT_EQ(standing_of(run.candidate).contributor, eve_.writer) << "the lease came with its run";
}

TEST_F(StrangersRunsTest, GiveNoContributorOrParentsToAVouchedCandidate) {
    const auto good = run_of(bob_, {{"optim.lr", 0.1}}, 2.2), bad = run_of(eve_, {{"optim.lr", 0.2}}, 0.5);
    const auto run = run_of(bob_, {}, 2.0, 0, {good.candidate});
    auto forged = run_of(eve_, {}, 50, 0, {bad.candidate});
    forged.parameters = 99;
    const Claim claim = claim_by(bob_, run);
    publish(eve_, {bad, forged});
    publish(bob_, {good, run, claim});
    saw({{1000, 2, eve_.ref}, {2000, 3, bob_.ref}});
    EXPECT_EQ(standing_of(run.candidate).contributor, eve_.writer);
    EXPECT_THAT(parents_of(run.candidate), ElementsAre(bad.candidate));
    judge(claim, "accepted");
    const Standing standing = standing_of(run.candidate);
    EXPECT_EQ(standing.contributor, bob_.writer);
    EXPECT_EQ(standing.val_bpb, *run.val_bpb);
    EXPECT_EQ(standing.cost.parameters, 1234);
    EXPECT_THAT(parents_of(run.candidate), ElementsAre(good.candidate));
    Index index = must(Index::open(ann_));
    EXPECT_EQ(answers(index), rebuilt());
    judge(claim, "rejected", "2026-11-22T06:00:00Z");
    EXPECT_THAT(parents_of(run.candidate), ElementsAre(bad.candidate)) << "nobody vouches for it any more";
}

// Eve's claim of Bob's candidate is good too, and came later.
TEST_F(StrangersRunsTest, EnterNoMeanWithThoseOfTheFirstVouchedClaim) {
    const auto run = run_of(bob_, {}, 2.0), worse = run_of(eve_, {}, 3.0, 1);
    const Claim first = claim_by(bob_, run), second = claim_by(eve_, worse);
    publish(bob_, {run, first});
    publish(eve_, {worse, second});
    saw({{1000, 2, bob_.ref}, {2000, 2, eve_.ref}});
    judge(second, "accepted");
    EXPECT_EQ(standing_of(run.candidate).contributor, eve_.writer);
    judge(first, "accepted");
    const Standing standing = standing_of(run.candidate);
    EXPECT_EQ(standing.contributor, bob_.writer);
    EXPECT_EQ(standing.val_bpb, *run.val_bpb);
}

TEST_F(StrangersRunsTest, MakeNoGainAsAnAncestor) {
    const auto root = run_of(eve_, {}, 900);
    publish(eve_, {root});
    accepted(eve_, {{"optim.lr", 0.1}}, 2.0, {root.candidate});
    EXPECT_EQ(gain_of(eve_), 0);
}

TEST_F(StrangersRunsTest, TakeNoGainAway) {
    const auto root = accepted(bob_, {}, 2.0);
    const auto parent = run_of(bob_, {{"optim.lr", 0.1}}, 1.95, 0, {root.candidate});
    publish(bob_, {parent});
    const auto child = accepted(bob_, {{"optim.lr", 0.2}}, 1.9, {parent.candidate});
    publish(eve_, {run_of(eve_, {{"optim.lr", 0.1}}, 0.01, 1)});
    for (const auto& first : {bob_, eve_}) {
        saw({{first.ref == bob_.ref ? 1000 : 3000, 5, bob_.ref}, {2000, 1, eve_.ref}});
        EXPECT_THAT(gain_of(bob_), DoubleNear(*root.val_bpb - *child.val_bpb, 1e-9)) << first.writer << " was first";
    }
}

TEST_F(StrangersRunsTest, OfAVerifierAreAnAncestorsScore) {
    const auto root = run_by(ann_, {}, 2.0);
    spool(ann_, root);
    const auto child = accepted(bob_, {{"optim.lr", 0.2}}, 1.9, {root.candidate});
    EXPECT_THAT(gain_of(bob_), DoubleNear(*root.val_bpb - *child.val_bpb, 1e-9));
}

TEST_F(StrangersRunsTest, AddNoMoreTimeOrEnergyThanARunCanTake) {
    const auto honest = run_of(bob_, {}, 2.0);
    auto long_one = run_of(eve_, {{"optim.lr", 0.1}}, 2.0), hot_one = run_of(eve_, {{"optim.lr", 0.2}}, 2.0);
    long_one.wall_s = 80'000, long_one.energy.joules = 7e9;
    hot_one.energy.joules = 1e18;
    publish(bob_, {honest});
    publish(eve_, {long_one, hot_one});
    Index index = must(Index::open(ann_));
    const double most_s = 4 * std::min(20.0, ann_.task.budget_s) + 240;  // as the limits of a run allow
    EXPECT_EQ(must(index.totals()).refused, 1);
    EXPECT_THAT(must(index.totals()).search_s, DoubleNear(honest.wall_s + most_s, 1e-6));
    EXPECT_THAT(must(index.totals()).search_joules, DoubleNear(300 + 100'000 * most_s, 1e-3));
    for (const Contributor& row : must(index.contributors()))
        EXPECT_LE(row.joules, 100'000 * most_s) << row.writers.front();
}

}  // namespace
}  // namespace cultivar
