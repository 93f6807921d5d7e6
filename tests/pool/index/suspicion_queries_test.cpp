// Tests the suspicions that the rest of the pool raises about a claim.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/first_seen.h"
#include "tests/pool/index/index_fixture.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SuspicionTest : public IndexTest {
protected:
    // Returns a run with its own figures and weights.
    cultivar::Run run_of(const Stranger& who, const Genes& changes, double val_loss, int replicate = 0) {
        auto run = scored_run(ann_.task, who.writer, changes, val_loss, replicate);
        run.artifact = std::string(58, 'a') + fmt::format("{:06x}", ++made_);
        run.trace_loss = {6.9, 6.5 + val_loss / 1000};
        return run;
    }
    Claim claim_by(const Stranger& who, const std::vector<cultivar::Run>& runs) {
        Claim claim = claim_of(ann_, runs);
        claim.writer = who.writer;
        return claim;
    }
    // Returns the suspicions of each claim in order, one per line.
    std::vector<std::string> odd() {
        Index index = must(Index::open(ann_));
        std::vector<std::string> lines;
        for (const ClaimRow& row : must(index.claims())) {
            EXPECT_EQ(row.problem, "");
            lines.push_back(fmt::format("{}", fmt::join(must(index.suspicions(row)), "; ")));
        }
        return lines;
    }

    // The runs of others from which this run's weights may be taken.
    static std::vector<RunRow> originals_of(Index& index, const cultivar::Run& run) {
        return must(
            index.runs_of_others({record_id(to_line(run)), run, false, "", ""}, IndexQueries::Others::before, 0.02, 9));
    }
    // As if this clone had met the records of `who` by an earlier refresh.
    void seen_before(const Stranger& who) {
        Database database = must(Database::open(ann_.index_dir() + "index.sqlite"));
        must(database.execute(
            fmt::format("UPDATE record SET seen_s = seen_s - 100 WHERE writer = '{}'", who.writer).c_str()));
    }

    int made_ = 0;
};

TEST_F(SuspicionTest, IsNoneOfAnHonestClaimOverSeveralSeeds) {
    Stranger bob = stranger("bob"), eve = stranger("eve");
    const auto one = run_of(bob, {}, 2.0), two = run_of(bob, {}, 2.01, 1),
               other = run_of(bob, {{"optim.lr", 0.1}}, 1.9);
    Lease lease{ann_.task_id, one.candidate, one.category, 20, 0, bob.writer, "2026-11-21T04:00:00Z"};
    publish(bob, {lease, one, two, claim_by(bob, {one, two}), run_of(bob, {}, 2.5, 2), other, claim_by(bob, {other})});
    const auto again = run_of(eve, {}, 2.02, 3);  // of the same candidate, later
    publish(eve, {again, claim_by(eve, {again})});
    EXPECT_THAT(odd(), ElementsAre("", "", ""));
}

TEST_F(SuspicionTest, IsAClaimThatLeavesOutWorseRunsOfItsWriter) {
    Stranger bob = stranger("bob");
    const auto best = run_of(bob, {}, 2.0, 1);
    publish(bob, {run_of(bob, {}, 2.2), best, run_of(bob, {}, 2.3, 2), claim_by(bob, {best})});
    EXPECT_THAT(odd(), ElementsAre(HasSubstr("it leaves out 2 of the writer's 3 runs of it")));
}

TEST_F(SuspicionTest, IsNoneWhereTheRunsLeftOutWereBetter) {
    Stranger bob = stranger("bob");
    const auto worse = run_of(bob, {}, 2.2, 1);
    publish(bob, {run_of(bob, {}, 2.0), worse, claim_by(bob, {worse})});
    EXPECT_THAT(odd(), ElementsAre(""));
}

TEST_F(SuspicionTest, IsASeedWhoseNumberCountsRunsThatNobodyPublished) {
    Stranger bob = stranger("bob");
    const auto eighth = run_of(bob, {}, 2.0, 7);
    publish(bob, {eighth, claim_by(bob, {eighth})});
    EXPECT_THAT(odd(),
                ElementsAre("its replicate numbers count 8 runs of this candidate, and the pool has 1: some were not "
                            "published"));
}

// Another field, or figures that are a little apart, make another record of it.
TEST_F(SuspicionTest, IsOneTrainingThatIsCountedOften) {
    Stranger bob = stranger("bob");
    std::vector<cultivar::Run> runs;
    for (int i = 0; i < 5; ++i) {
        runs.push_back(run_of(bob, {}, 2.0 + 1e-4 * i));
        runs.back().train_s -= i;
    }
    std::vector<Record> records(runs.begin(), runs.end());
    records.emplace_back(claim_by(bob, runs));
    publish(bob, records);
    EXPECT_THAT(odd(), ElementsAre(HasSubstr("4 of its runs have the replicate number of another")));
}

TEST_F(SuspicionTest, IsAWriterWhoBeginsMuchMoreThanItPublishes) {
    Stranger bob = stranger("bob");
    const auto run = run_of(bob, {}, 2.0);
    std::vector<Record> records;
    for (int replicate = 0; replicate < 4; ++replicate)
        records.push_back(
            Lease{ann_.task_id, run.candidate, run.category, 20, replicate, bob.writer, "2026-11-21T04:00:00Z"});
    records.insert(records.end(), {run, claim_by(bob, {run})});
    publish(bob, records);
    EXPECT_THAT(odd(), ElementsAre("the writer began 3 more runs of it and published none of them"));
}

TEST_F(SuspicionTest, IsARunWithTheFiguresOrWeightsOfAnother) {
    Stranger bob = stranger("bob"), eve = stranger("eve");
    const auto honest = run_of(bob, {}, 2.0);
    publish(bob, {honest, claim_by(bob, {honest})});
    auto repacked = run_of(eve, {{"optim.lr", 0.1}}, 2.0);  // another candidate's, and another file
    repacked.chunk_loss_sums = honest.chunk_loss_sums;
    repacked.train_s = 19;
    publish(eve, {repacked, claim_by(eve, {repacked})});
    // This clone met both at once: the records do not show which was first.
    EXPECT_THAT(odd(), ElementsAre(HasSubstr("has the weights of run"), HasSubstr("of " + bob.writer)));
    const std::string before = fmt::format("{}", fmt::join(odd(), "\n"));
    rebuilt();
    EXPECT_EQ(fmt::format("{}", fmt::join(odd(), "\n")), before);
    seen_before(bob);
    EXPECT_THAT(odd(), ElementsAre("", HasSubstr("of " + bob.writer))) << "only the later one is a copy";
}

// Nobody who looks for the original may be sent away by runs that cost nothing.
TEST_F(SuspicionTest, FindsTheOriginalBehindAnyNumberOfRunsOfItsScore) {
    Stranger bob = stranger("bob"), eve = stranger("eve"), sybil = stranger("alice");
    const auto honest = run_of(bob, {}, 2.0);
    publish(bob, {honest, claim_by(bob, {honest})});
    auto copy = run_of(eve, {{"optim.lr", 0.1}}, 2.0 + 8e-6);
    copy.chunk_loss_sums = honest.chunk_loss_sums;
    for (double& loss : copy.chunk_loss_sums) loss *= 1 + 4e-6;
    std::vector<Record> rubbish;
    for (int i = 0; i < 300; ++i) {
        auto run = run_of(sybil, {{"optim.lr", 0.2 + 0.001 * i}}, 2.0 + 8e-6);
        run.trace_loss[0] += 0.001 * (i + 1);
        const double moved = 0.01 * run.chunk_loss_sums[0];
        run.chunk_loss_sums[0] += moved, run.chunk_loss_sums[1] -= moved;
        rubbish.emplace_back(std::move(run));
    }
    publish(sybil, rubbish);
    publish(eve, {copy, claim_by(eve, {copy})});
    EXPECT_THAT(odd(), ElementsAre(testing::_, HasSubstr("of " + bob.writer)));
    Index index = must(Index::open(ann_));
    const std::vector<RunRow> suspects = originals_of(index, copy);
    EXPECT_TRUE(std::ranges::any_of(suspects, [&](const RunRow& row) { return row.run.writer == bob.writer; }));
}

// The order of arrival lies outside the index, which is a cache.
TEST_F(SuspicionTest, TellsTheCopyFromTheOriginalInARebuiltIndexToo) {
    Stranger zoe = stranger("zoe"), eve = stranger("eve");
    const auto honest = run_of(zoe, {}, 2.0);
    publish(zoe, {honest, claim_by(zoe, {honest})});
    odd();
    EXPECT_GT(must(FirstSeen::read(ann_)).seen_s(zoe.ref, 1, 9'000'000'000), 1'000'000'000) << "it was noted";
    must(write_file_atomically(ann_.seen_dir() + "first", fmt::format("1000 2 {}\n", zoe.ref)));
    auto copy = run_of(eve, {{"optim.lr", 0.1}}, 1.9);
    copy.artifact = honest.artifact;
    publish(eve, {copy, claim_by(eve, {copy})});
    rebuilt();
    EXPECT_THAT(odd(), ElementsAre(HasSubstr("its artifact is that of run"), ""))
        << "Eve's journal is read first, and Zoe's run was here before";
}

TEST_F(SuspicionTest, OfTwoRunsOfOnePullFallsOnNoneThatAVerifierHadAcceptedBefore) {
    Stranger bob = stranger("bob"), eve = stranger("eve");
    const auto run = run_of(bob, {}, 2.0);
    auto copy = run;
    copy.writer = eve.writer, copy.artifact = std::string(64, 'c');
    const Claim claim = claim_by(bob, {run}), copied = claim_by(eve, {copy});
    publish(bob, {run, claim});
    publish(eve, {copy, copied});
    const auto odd_of = [&](const Claim& one) {
        Index index = must(Index::open(ann_));
        for (const ClaimRow& row : must(index.claims())) {
            if (row.claim.writer == one.writer) return must(index.suspicions(row));
        }
        return std::vector<std::string>{"no such claim"};
    };
    EXPECT_THAT(odd_of(claim), testing::SizeIs(1)) << "nothing tells the copy";
    EXPECT_THAT(odd_of(copied), testing::SizeIs(1));
    Verdict verdict;
    verdict.claim = record_id(to_line(claim)), verdict.task = ann_.task_id, verdict.candidate = run.candidate;
    verdict.artifact = run.artifact, verdict.result = VerdictResult::accepted, verdict.tier = Tier::replay;
    verdict.reason = "because", verdict.verifier = ann_.writer, verdict.slice = std::string(64, '4');
    verdict.at = "2026-11-22T05:00:00Z";
    must(append_log(ann_.repo, ann_.ledger_ref(), {to_line(verdict)}, ann_.identity(), ann_.key));
    rebuilt();
    EXPECT_THAT(odd_of(claim), IsEmpty());
    EXPECT_THAT(odd_of(copied), testing::SizeIs(1));
}

TEST_F(SuspicionTest, IsNoneOfAnArtifactThatSomebodyCopiedLater) {
    Stranger bob = stranger("bob"), eve = stranger("eve");
    const auto honest = run_of(bob, {}, 2.0);
    publish(bob, {honest, claim_by(bob, {honest})});
    auto copy = run_of(eve, {{"optim.lr", 0.1}}, 1.9);
    copy.artifact = honest.artifact;
    publish(eve, {copy, claim_by(eve, {copy})});
    odd();
    seen_before(bob);
    EXPECT_THAT(odd(), ElementsAre("", HasSubstr("its artifact is that of run")));
}

// Runs of one step: each a twentieth of an honest one's speed, by names that cost nothing.
TEST_F(SuspicionTest, IsNoneBesideSlowRunsThatNobodyVerified) {
    for (const char* name : {"sybil1", "sybil2", "sybil3", "sybil4"}) {
        Stranger sybil = stranger(name);
        auto slow = run_of(sybil, {{"optim.lr", 0.2 + 0.01 * made_}}, 3.0 + 0.01 * made_);
        slow.tokens /= 20;
        publish(sybil, {slow, claim_by(sybil, {slow})});
    }
    Stranger bob = stranger("bob");
    const auto honest = run_of(bob, {}, 2.0);
    publish(bob, {honest, claim_by(bob, {honest})});
    for (const std::string& line : odd()) EXPECT_EQ(line, "");
}

TEST_F(SuspicionTest, IsNoneOfTwoRunsThatOnlyScoreAlike) {
    Stranger bob = stranger("bob"), eve = stranger("eve");
    auto one = run_of(bob, {}, 2.0), other = run_of(eve, {{"optim.lr", 0.1}}, 2.0);
    other.chunk_loss_sums[0] *= 1.01, other.chunk_loss_sums[1] *= 0.99;
    other.train_s = 19;
    publish(bob, {one, claim_by(bob, {one})});
    publish(eve, {other, claim_by(eve, {other})});
    EXPECT_THAT(odd(), ElementsAre("", ""));
}

TEST_F(SuspicionTest, IsARunFarFasterThanItsWritersOthers) {
    Stranger bob = stranger("bob");
    std::vector<Record> records;
    for (int i = 0; i < 8; ++i) {
        auto run = run_of(bob, {{"optim.lr", 0.01 * (i + 1)}}, 2.1 + 0.01 * i);
        run.tokens += 1000 * i;
        records.push_back(run);
    }
    auto fast = run_of(bob, {{"optim.lr", 0.9}}, 1.8);
    fast.tokens *= 5;
    records.insert(records.end(), {fast, claim_by(bob, {fast})});
    publish(bob, records);
    EXPECT_THAT(odd(), ElementsAre(HasSubstr("5.0 times as fast as the same writer's 8 other runs like it")));
}

// Weights of a long training that somebody claims as those of a short one.
TEST_F(SuspicionTest, ComparesWeightsWithThoseOfOtherCategoriesToo) {
    Stranger bob = stranger("bob"), eve = stranger("eve");
    const auto in_category = [](cultivar::Run run, const std::string& category, double budget_s) {
        run.category = category, run.budget_s = budget_s;
        return run;
    };
    const auto longer = in_category(run_of(bob, {}, 2.0), "cpu-600s-e11", 600),
               other_floor = in_category(run_of(bob, {{"optim.lr", 0.1}}, 2.0), "cpu-20s-e9", 20);
    publish(bob, {longer, other_floor});
    must(Index::open(ann_));
    seen_before(bob);
    const auto same_candidate = run_of(eve, {}, 2.0), same_training = run_of(eve, {{"optim.lr", 0.1}}, 2.0);
    publish(eve, {same_candidate, same_training});
    Index index = must(Index::open(ann_));
    const auto found = [&](const cultivar::Run& run) {
        std::vector<std::string> candidates;
        for (const RunRow& row : originals_of(index, run))
            candidates.push_back(row.run.category + " " + row.run.candidate);
        return candidates;
    };
    const std::string in_long = "cpu-600s-e11 " + longer.candidate, on_other = "cpu-20s-e9 " + other_floor.candidate;
    EXPECT_THAT(found(same_candidate), testing::UnorderedElementsAre(in_long, on_other));
    EXPECT_THAT(found(same_training), ElementsAre(in_long)) << "a slower machine makes much the same weights";
}

// Anybody may publish the figures of a run that they have seen.
TEST_F(SuspicionTest, FallsOnNoRunForALaterCopyOrForOneOfTheSamePullThatNobodyClaims) {
    Stranger bob = stranger("bob"), eve = stranger("eve");
    const auto run = run_of(bob, {}, 2.0), copy = run_of(eve, {{"optim.lr", 0.1}}, 2.0);
    publish(bob, {run});
    publish(eve, {copy});
    EXPECT_THAT(originals_of(*std::make_unique<Index>(must(Index::open(ann_))), run), IsEmpty());
    publish(eve, {claim_by(eve, {copy})});
    EXPECT_THAT(originals_of(*std::make_unique<Index>(must(Index::open(ann_))), run), testing::SizeIs(1));
    seen_before(bob);
    Index index = must(Index::open(ann_));
    EXPECT_THAT(originals_of(index, run), IsEmpty());
    EXPECT_THAT(originals_of(index, copy), testing::SizeIs(1));
}

}  // namespace
}  // namespace cultivar
