// Every tier of a verifier, with a worker that answers what the test wants.
#include "cli/verify/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/verify/verify_fixture.h"

namespace cultivar {
namespace {

using testing::HasSubstr;
using Mode = Specification::Mode;

constexpr PlannedAudit kReplay{Tier::replay, AuditExtent::sample}, kInFull{Tier::rerun, AuditExtent::in_full};

class VerifierTest : public VerifyTest {
protected:
    void claim_of_bob() { claim(bob_, {run_of(bob_, {}, 2.0)}); }
    void import_hold_out() {
        std::filesystem::create_directories(hold_out_folder(ann_));
        must(write_file_atomically(hold_out_folder(ann_) + "slice_00.bin", "secret"));
        HoldOutMade made;
        made.slices.push_back({"slice_00.bin", {65536, 160000}});
        must(HoldOut::settle(ann_, made));
    }
};

TEST_F(VerifierTest, IsMadeOfAVerifiersKeyAlone) {
    claim_of_bob();
    const Clone guest = world_.found("guest");
    Session open = session();
    must(Verifier::make(tools(), open));
    open.clone->key = must(Key::load_or_create(world_.path("another.pem")));
    EXPECT_EQ(trouble(Verifier::make(tools(), open)).code, Code::usage);
}

TEST_F(VerifierTest, WarnsOfWhatTheSandboxLacksAndNeedsTheData) {
    worker_.gaps = {"no Landlock here"};
    Session open = session();
    must(Verifier::make(tools(), open));
    EXPECT_EQ(observer_.warnings, worker_.gaps);
    std::filesystem::remove(ann_.data_dir() + ann_.task.data->slice.name);
    EXPECT_EQ(trouble(Verifier::make(tools(), open)).code, Code::not_found);
}

TEST_F(VerifierTest, AcceptsAClaimThatMeasuresAsItSays) {
    claim_of_bob();
    const Verdict verdict = judge(kReplay);
    EXPECT_EQ(verdict.result, VerdictResult::accepted) << verdict.reason;
    EXPECT_EQ(verdict.tier, Tier::replay);
    EXPECT_EQ(verdict.plan, kReplay);
    EXPECT_EQ(verdict.chosen, "because");
    EXPECT_EQ(verdict.evaluator, "fake 1");
    EXPECT_EQ(verdict.evaluator_sha256, std::string(64, 'd'));
    EXPECT_NEAR(*verdict.measured_bpb, verdict.claimed_bpb, 1e-9);
    EXPECT_EQ(verdict.seconds, 2) << "one second for each of two jobs";
    EXPECT_EQ(verdict.at, "2026-11-21T05:46:40Z");
    EXPECT_EQ(worker_.count(Mode::score), 1U);
    EXPECT_EQ(worker_.count(Mode::replay), 1U);
}

TEST_F(VerifierTest, RejectsARunThatIsNotSoundWithoutScoringIt) {
    auto run = run_of(bob_, {}, 2.0);
    run.trace_elapsed_s = {0, 30};
    claim(bob_, {run});
    const Verdict verdict = judge();
    EXPECT_EQ(verdict.result, VerdictResult::rejected);
    EXPECT_EQ(verdict.tier, Tier::structure);
    EXPECT_THAT(verdict.reason, HasSubstr("a clock that none could show"));
    EXPECT_TRUE(worker_.jobs.empty());
}

TEST_F(VerifierTest, JudgesByTheCategorysBudgetWhereItsNameTellsNone) {
    auto run = run_of(bob_, {}, 2.0);
    run.category = "my-best-friends", run.budget_s = 200;
    claim(bob_, {run});
    const Verdict verdict = judge();
    EXPECT_EQ(verdict.result, VerdictResult::rejected);
    EXPECT_EQ(verdict.tier, Tier::structure);
    EXPECT_THAT(verdict.reason, HasSubstr("a budget of 200 s, runs of its category have 20 s"));
    EXPECT_TRUE(worker_.jobs.empty());
}

TEST_F(VerifierTest, RejectsWeightsOfAnotherSizeThanRecorded) {
    auto run = run_of(bob_, {}, 2.0);
    ++run.artifact_bytes;
    claim(bob_, {run});
    const Verdict verdict = judge();
    EXPECT_EQ(verdict.result, VerdictResult::rejected);
    EXPECT_EQ(verdict.tier, Tier::structure);
    EXPECT_THAT(verdict.reason, HasSubstr("its record says"));
}

TEST_F(VerifierTest, CannotTellOfWeightsThatAreMissing) {
    auto run = run_of(bob_, {}, 2.0);
    run.artifact = std::string(64, 'f');
    claim(bob_, {run});
    const Verdict verdict = judge();
    EXPECT_EQ(verdict.result, VerdictResult::inconclusive);
    EXPECT_EQ(verdict.tier, Tier::structure);
    EXPECT_THAT(verdict.reason, HasSubstr("missing or replaced"));
    EXPECT_TRUE(worker_.jobs.empty());
}

TEST_F(VerifierTest, CannotTellOfWeightsThatSomebodyReplaced) {
    auto run = run_of(bob_, {}, 2.0);
    run.artifact = std::string(64, 'f');
    must(store_artifact(ann_.repo, run.artifact, "other bytes"));
    claim(bob_, {run});
    const Verdict verdict = judge();
    EXPECT_EQ(verdict.result, VerdictResult::inconclusive);
    EXPECT_EQ(verdict.tier, Tier::structure);
}

TEST_F(VerifierTest, StopsAtTheStructureIfNoMoreIsPlanned) {
    claim_of_bob();
    const Verdict verdict = judge({Tier::structure, AuditExtent::sample});
    EXPECT_EQ(verdict.result, VerdictResult::inconclusive);
    EXPECT_TRUE(worker_.jobs.empty());
}

TEST_F(VerifierTest, RejectsWeightsThatScoreWorse) {
    claim_of_bob();
    for (double& nats : worker_.chunk_losses) nats *= 1.01;
    const Verdict verdict = judge();
    EXPECT_EQ(verdict.result, VerdictResult::rejected);
    EXPECT_EQ(verdict.tier, Tier::rescore);
    EXPECT_THAT(verdict.reason, HasSubstr("does not reach its score"));
    EXPECT_EQ(worker_.count(Mode::replay), 0U);
}

TEST_F(VerifierTest, RejectsWeightsThatTheWorkerCannotRead) {
    claim_of_bob();
    worker_.how = Outcome::How::error_event;
    worker_.error = ErrorEvent{"artifact", "no such tensor"};
    const Verdict verdict = judge();
    EXPECT_EQ(verdict.result, VerdictResult::rejected);
    EXPECT_EQ(verdict.tier, Tier::rescore);
    EXPECT_EQ(verdict.reason, "no such tensor");
}

TEST_F(VerifierTest, CannotTellIfTheWorkerFails) {
    claim_of_bob();
    worker_.how = Outcome::How::died;
    worker_.message = "the worker died";
    const Verdict verdict = judge();
    EXPECT_EQ(verdict.result, VerdictResult::inconclusive);
    EXPECT_EQ(verdict.reason, "the worker died");
}

TEST_F(VerifierTest, ScoresEveryChunkOfAWholeAuditAndASampleElse) {
    claim_of_bob();
    judge(kReplay);
    EXPECT_EQ(worker_.jobs.at(0).chunks.size(), static_cast<std::size_t>(kFewestChunks)) << "a run of seconds";
    worker_.jobs.clear();
    judge({Tier::replay, AuditExtent::whole});
    EXPECT_EQ(worker_.jobs.at(0).chunks.size(), static_cast<std::size_t>(kScoreChunks));
}

TEST_F(VerifierTest, RejectsAModelThatIsBetterOnTheSliceThanOnTheHoldOut) {
    import_hold_out();
    claim_of_bob();
    HoldOut book = must(HoldOut::open(ann_));
    const ServingSlice slice = *book.serving(clock_.unix_s());
    const auto other = [&](int number, double gap) {
        const double slice_bpb = 1.1 + 0.01 * number, nats = slice_bpb * 0.6931471805599453 * 160000 / 64;
        return Appearance{slice.name, std::string(64, static_cast<char>('a' + number)), std::to_string(number),
                          slice_bpb, std::vector<double>(kScoreChunks, nats - gap)};
    };
    // The worker scores the same on both. Of the others, each is a great deal better on the hold-out.
    for (int i = 0; i < 12; ++i) must(book.remember(other(i, 300), clock_.unix_s()));
    const Verdict verdict = judge(kReplay);
    EXPECT_EQ(verdict.result, VerdictResult::rejected) << verdict.reason;
    EXPECT_EQ(verdict.tier, Tier::rescore);
    EXPECT_THAT(verdict.reason, HasSubstr("hold-out: "));
    EXPECT_EQ(verdict.data.back().sha256, slice.commitment);
    EXPECT_EQ(worker_.count(Mode::replay), 0U);
}

TEST_F(VerifierTest, ScoresAWouldBeBestOnTheFullSetIfItIsHere) {
    must(write_file_atomically(ann_.data_dir() + ann_.task.data->full.name, ""));
    claim_of_bob();
    const Verdict verdict = judge(kReplay);
    EXPECT_EQ(verdict.result, VerdictResult::accepted) << verdict.reason;
    ASSERT_EQ(worker_.count(Mode::score), 2U);
    EXPECT_EQ(worker_.jobs.at(1).val_shard, ann_.data_dir() + ann_.task.data->full.name);
    EXPECT_EQ(worker_.jobs.at(1).chunks.size(), static_cast<std::size_t>(kScoreChunks));
    EXPECT_EQ(verdict.data.back().name, "full");
}

TEST_F(VerifierTest, RejectsARunThatDoesNotReplay) {
    claim_of_bob();
    worker_.replay_losses = {6.9, 6.4};
    const Verdict verdict = judge();
    EXPECT_EQ(verdict.result, VerdictResult::rejected);
    EXPECT_EQ(verdict.tier, Tier::replay);
    EXPECT_THAT(verdict.reason, HasSubstr("did not go as recorded"));
}

TEST_F(VerifierTest, CannotTellIfAReplayEndsEarly) {
    claim_of_bob();
    worker_.replay_losses = {6.9};
    const Verdict verdict = judge();
    EXPECT_EQ(verdict.result, VerdictResult::inconclusive);
    EXPECT_THAT(verdict.reason, HasSubstr("cannot be replayed here"));
}

TEST_F(VerifierTest, ReplaysOneRunOfASampleAndAllOfAWholeAudit) {
    std::vector<cultivar::Run> runs;
    for (int i = 0; i < 3; ++i) {
        runs.push_back(run_of(bob_, {}, 2.0, i));
        runs.back().trace_loss = {6.9, 6.5}, runs.back().train_s += i * 0.5;
    }
    claim(bob_, runs);
    judge(kReplay);
    EXPECT_EQ(worker_.count(Mode::replay), 1U);
    judge({Tier::replay, AuditExtent::whole});
    EXPECT_EQ(worker_.count(Mode::replay), 1U + 3U);
}

TEST_F(VerifierTest, LeavesTheReplayOfAnotherDeviceToOthers) {
    auto run = run_of(bob_, {}, 2.0);
    run.category = "cuda-20s-e14";
    claim(bob_, {run});
    const Verdict verdict = judge(kInFull);
    EXPECT_EQ(verdict.result, VerdictResult::accepted);
    EXPECT_EQ(verdict.tier, Tier::rescore);
    EXPECT_THAT(verdict.reason, HasSubstr("another device"));
    EXPECT_EQ(worker_.count(Mode::replay) + worker_.count(Mode::train), 0U);
}

TEST_F(VerifierTest, TrainsAWouldBeBestAgainAndSaysWhetherItIsARecord) {
    claim_of_bob();
    const Verdict verdict = judge(kInFull);
    EXPECT_EQ(verdict.result, VerdictResult::accepted) << verdict.reason;
    EXPECT_EQ(verdict.tier, Tier::rerun);
    EXPECT_EQ(verdict.reruns.size(), 3U) << "as many as the pool's records take";
    ASSERT_TRUE(verdict.record);
    EXPECT_TRUE(verdict.record->accepted) << "where no record stands, enough seeds set one";
}

TEST_F(VerifierTest, RejectsAClaimThatFreshSeedsDoNotReachAndTrainsNoMoreOfThem) {
    claim_of_bob();
    worker_.fresh_bpb = {5.0};
    const Verdict verdict = judge(kInFull);
    EXPECT_EQ(verdict.result, VerdictResult::rejected);
    EXPECT_EQ(verdict.tier, Tier::rerun);
    EXPECT_EQ(verdict.reruns.size(), 1U);
    EXPECT_EQ(verdict.record, std::nullopt);
}

TEST_F(VerifierTest, TrainsNothingOnAMachineOfAnotherCategory) {
    claim_of_bob();
    be_of_the_category(false);
    const Verdict verdict = judge(kInFull);
    EXPECT_EQ(verdict.tier, Tier::replay);
    EXPECT_THAT(verdict.reason, HasSubstr("another category"));
    EXPECT_TRUE(verdict.reruns.empty());
}

TEST_F(VerifierTest, AcceptsNothingThatAPersonCutShort) {
    claim_of_bob();
    const Verdict verdict = judge({Tier::rescore, AuditExtent::sample}, true);
    EXPECT_EQ(verdict.result, VerdictResult::inconclusive);
    EXPECT_THAT(verdict.reason, HasSubstr("a replay is due"));
}

TEST_F(VerifierTest, JudgesNothingOnceItIsInterrupted) {
    claim_of_bob();
    observer_.stop = true;
    Session open = session();
    ClaimQueue queue = must(waiting_claims(open));
    Verifier verifier = must(Verifier::make(tools(), open));
    EXPECT_EQ(trouble(verifier.judge(queue.claims.at(0))).code, Code::interrupted);
}

TEST_F(VerifierTest, WritesItsVerdictsToItsLedgerWithItsSignature) {
    claim_of_bob();
    Session open = session();
    ClaimQueue queue = must(waiting_claims(open));
    Verifier verifier = must(Verifier::make(tools(), open));
    const Verdict verdict = must(verifier.judge(queue.claims.at(0)));
    must(verifier.write({verdict}));
    EXPECT_TRUE(must(open.index->pending_claims()).empty());
    const ClaimRow row = must(open.index->claims()).at(0);
    ASSERT_TRUE(row.verdict);
    EXPECT_EQ(to_line(*row.verdict), to_line(verdict));
    EXPECT_THAT(git(world_.path("ann"), "cat-file commit " + ann_.ledger_ref()), HasSubstr("BEGIN SSH SIGNATURE"));
}

}  // namespace
}  // namespace cultivar
