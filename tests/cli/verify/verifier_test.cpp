// Every tier of a verifier, with a worker that answers what the test wants.
#include "cli/verify/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "bandit/history/candidate_stats.h"
#include "bandit/policy/keep_test.h"
#include "cli/session/history_loader.h"
#include "pool/util/sqlite.h"
#include "tests/cli/verify/verify_fixture.h"

namespace cultivar {
namespace {

using testing::HasSubstr;
using Mode = Specification::Mode;

constexpr PlannedAudit kReplay{Tier::replay, AuditExtent::sample}, kInFull{Tier::rerun, AuditExtent::in_full};

class VerifierTest : public VerifyTest {
protected:
    void claim_of_bob() { claim(bob_, {run_of(bob_, {}, 2.0)}); }
    // Twelve other candidates on the hold-out, each this much better there than on the slice, in nats a chunk.
    void others_on_the_hold_out(HoldOut& book, double better) {
        const ServingSlice slice = *book.serving(clock_.unix_s());
        for (int number = 0; number < 12; ++number) {
            const double slice_bpb = 1.1 + 0.01 * number, nats = slice_bpb * 0.6931471805599453 * 160000 / 64;
            must(book.remember({slice.name, std::string(64, static_cast<char>('a' + number)), std::to_string(number),
                                slice_bpb, std::vector<double>(kScoreChunks, nats - better)},
                               clock_.unix_s()));
        }
    }
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

TEST_F(VerifierTest, TellsTheEnergyOfTheAuditBySlotAndItsZone) {
    claim_of_bob();
    Session open = session();
    open.settings.zone = {"DE", "flag"};
    QueuedClaim one = must(waiting_claims(open)).claims.at(0);
    one.plan = {kReplay, "because", false};
    Verifier verifier = must(Verifier::make(tools(), open));
    const Verdict verdict = must(parse_verdict(to_line(must(verifier.judge(one)))));
    ASSERT_TRUE(verdict.energy);
    EXPECT_EQ(verdict.energy->method, "estimated");
    ASSERT_EQ(verdict.energy->domains.size(), 1U);
    ASSERT_EQ(verdict.energy->domains[0].slots.size(), 1U);
    EXPECT_EQ(verdict.energy->domains[0].slots[0].seconds, 2);
    EXPECT_EQ(verdict.joules, 2 * kEstimatedWattsPerThread);
    EXPECT_EQ(verdict.zone, "DE");
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
    others_on_the_hold_out(book, 300);  // the worker scores the claim's weights the same on both
    const Verdict verdict = judge(kReplay);
    EXPECT_EQ(verdict.result, VerdictResult::rejected) << verdict.reason;
    EXPECT_EQ(verdict.tier, Tier::rescore);
    EXPECT_THAT(verdict.reason, HasSubstr("hold-out: "));
    EXPECT_EQ(verdict.data.back().sha256, slice.commitment);
    EXPECT_EQ(worker_.count(Mode::replay), 0U);
}

// Whoever may shift the usual gap by claims that nobody confirmed may hide a model that saw the slice, or accuse another.
TEST_F(VerifierTest, ComparesNoGapWithThatOfAClaimThatDoesNotStand) {
    import_hold_out();
    HoldOut book = must(HoldOut::open(ann_));
    const std::string slice = book.serving(clock_.unix_s())->name;
    const Stranger eve = stranger("eve");
    for (int number = 0; number < 12; ++number) {
        const Claim made = claim(eve, {run_of(eve, {{"optim.lr", 0.001 * std::pow(2, number)}}, 2.2 - 0.01 * number)});
        const double slice_bpb = 1.1 + 0.01 * number, nats = slice_bpb * 0.6931471805599453 * 160000 / 64;
        must(book.remember(
            {slice, record_id(to_line(made)), made.candidate, slice_bpb, std::vector<double>(kScoreChunks, nats - 300)},
            clock_.unix_s()));
    }
    claim_of_bob();
    Session open = session();
    Verifier verifier = must(Verifier::make(tools(), open));
    for (QueuedClaim& one : must(waiting_claims(open)).claims) {
        if (one.row.claim.writer != bob_.writer) continue;
        one.plan = {kReplay, "because", false};
        const Verdict verdict = must(verifier.judge(one));
        EXPECT_EQ(verdict.result, VerdictResult::accepted) << verdict.reason;
        EXPECT_EQ(verdict.certainty, Certainty::provisional) << "its gap is open";
    }
}

// They are not the run's: anybody's older weights would stand for a run that was never made.
TEST_F(VerifierTest, RejectsWeightsThatAreBetterThanClaimedAndKeepsNoGapOfThem) {
    import_hold_out();
    claim_of_bob();
    for (double& sum : worker_.chunk_losses) sum *= 0.95;
    const Verdict verdict = judge(kReplay);
    EXPECT_EQ(verdict.result, VerdictResult::rejected) << verdict.reason;
    EXPECT_THAT(verdict.reason, HasSubstr("better than claimed"));
    EXPECT_TRUE(must(HoldOut::open(ann_)).unjudged().empty());
}

// A gap goes by what the weights score here.
TEST_F(VerifierTest, TakesTheGapFromTheMeasuredScore) {
    import_hold_out();
    claim_of_bob();
    for (double& sum : worker_.chunk_losses) sum *= 1 - 4e-5;  // as another machine may round
    ASSERT_EQ(judge(kReplay).result, VerdictResult::accepted);
    const std::vector<Appearance> seen = must(HoldOut::open(ann_)).unjudged();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_NEAR(seen.front().slice_bpb, (1 - 4e-5) * *run_of(bob_, {}, 2.0).val_bpb, 1e-6);
}

TEST_F(VerifierTest, KeepsNoGapOfARejectedClaim) {
    import_hold_out();
    claim_of_bob();
    worker_.replay_losses = {6.9, 7.5};
    ASSERT_EQ(judge(kReplay).result, VerdictResult::rejected);
    EXPECT_EQ(worker_.count(Mode::replay), 1U);
    EXPECT_TRUE(must(HoldOut::open(ann_)).unjudged().empty());
}

// The first claims of a slice find nobody to be compared with: they are judged once others are known, from the book alone.
TEST_F(VerifierTest, JudgesTheGapOfAnEarlyClaimOnceOthersAreKnown) {
    import_hold_out();
    claim_of_bob();
    Session open = session();
    ClaimQueue queue = must(waiting_claims(open));
    queue.claims.at(0).plan = {kReplay, "because", false};
    Verifier verifier = must(Verifier::make(tools(), open));
    const Verdict early = must(verifier.judge(queue.claims.at(0)));
    EXPECT_EQ(early.result, VerdictResult::accepted) << early.reason;
    EXPECT_EQ(early.certainty, Certainty::provisional) << "its gap is open";
    must(verifier.write({early}));
    EXPECT_TRUE(must(verifier.review()).empty()) << "nobody else is known yet";
    HoldOut book = must(HoldOut::open(ann_));
    const auto seen = must(read_file(hold_out_folder(ann_) + "seen.jsonl"));
    const auto jobs = worker_.jobs.size();

    others_on_the_hold_out(book, 0);
    Verifier honest = must(Verifier::make(tools(), open));
    const std::vector<Verdict> settled = must(honest.review());
    ASSERT_EQ(settled.size(), 1U);
    EXPECT_EQ(settled.front().certainty, Certainty::accepted) << settled.front().reason;
    EXPECT_GT(settled.front().at, early.at);
    EXPECT_EQ(must(open.index->standings()).at(0).verdict, "accepted");
    EXPECT_TRUE(must(honest.review()).empty()) << "once";

    must(write_file_atomically(hold_out_folder(ann_) + "seen.jsonl", seen));
    book = must(HoldOut::open(ann_));
    others_on_the_hold_out(book, 300);
    Verifier strict = must(Verifier::make(tools(), open));
    const std::vector<Verdict> found = must(strict.review());
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().result, VerdictResult::rejected);
    EXPECT_EQ(found.front().tier, Tier::rescore);
    EXPECT_THAT(found.front().reason, HasSubstr("hold-out: it was trained on the validation data"));
    EXPECT_EQ(must(open.index->claims()).at(0).verdict->result, VerdictResult::rejected);
    EXPECT_EQ(worker_.jobs.size(), jobs) << "nothing is scored again";
}

TEST_F(VerifierTest, BeginsASliceWithWeightsOfThePoolSoThatItsFirstClaimIsJudgedAtOnce) {
    for (int number = 0; number < 9; ++number)
        claim(bob_, {run_of(bob_, {{"optim.lr", 0.001 * std::pow(2, number)}}, 2.2 - 0.01 * number)});
    Session open = session();
    Verifier verifier = must(Verifier::make(tools(), open));
    for (QueuedClaim& one : must(waiting_claims(open)).claims) {
        one.plan = {{Tier::rescore, AuditExtent::sample}, "because", false};
        worker_.chunk_losses = one.artifact_run()->chunk_loss_sums;
        const Verdict verdict = must(verifier.judge(one));
        ASSERT_EQ(verdict.result, VerdictResult::accepted) << verdict.reason;
        must(verifier.write({verdict}));
    }
    import_hold_out();
    claim(bob_, {run_of(bob_, {{"optim.lr", 1.0}}, 2.05)});
    worker_.jobs.clear();
    worker_.apart = 2e-5;
    const Verdict first = judge(kReplay);
    EXPECT_EQ(first.certainty, Certainty::accepted) << first.reason;
    EXPECT_THAT(first.reason, HasSubstr("where 9 others make"));
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

// Another's weights with some low bits changed, under a candidate of the thief's own and with an honest trace of it.
TEST_F(VerifierTest, LetsWeightsThatWereTakenFromAnotherRunOweARerun) {
    std::vector<double> stolen;
    for (int number = 0; number < 10; ++number) {
        auto run = run_by(ann_, {{"optim.lr", 0.01 * (number + 1)}}, 2.1 + 0.001 * number);
        for (int chunk = 0; chunk < kScoreChunks; ++chunk) {
            // Sums stay the same: what one chunk gains the next one loses.
            const double by = 0.002 * std::sin(1.7 * (chunk / 2) * (number + 1) + number);
            run.chunk_loss_sums[static_cast<std::size_t>(chunk)] *= chunk % 2 == 0 ? 1 + by : 1 - by;
        }
        run.trace_loss[0] += number;
        spool(ann_, run);
        if (number == 4) stolen = run.chunk_loss_sums;
    }
    auto run = run_of(bob_, {{"optim.lr", 0.7}}, 2.104);
    const double share =
        run.chunk_loss_sums.front() * kScoreChunks / std::accumulate(stolen.begin(), stolen.end(), 0.0);
    for (int chunk = 0; chunk < kScoreChunks; ++chunk)
        run.chunk_loss_sums[static_cast<std::size_t>(chunk)] =
            stolen[static_cast<std::size_t>(chunk)] * share * (chunk % 2 == 0 ? 1.00003 : 0.99997);
    claim(bob_, {run});
    const Verdict verdict = judge({Tier::replay, AuditExtent::whole});
    EXPECT_THAT(verdict.reason, HasSubstr("its weights are those of run"));
    EXPECT_EQ(verdict.certainty, Certainty::provisional);
    EXPECT_TRUE(verdict.plan->rerun_waits);
    EXPECT_EQ(judge(kInFull).certainty, Certainty::accepted) << "fresh seeds showed that the candidate is as good";
}

// A waiting find under another name: a number changed in its seventh digit.
TEST_F(VerifierTest, ConcludesNothingOfACandidateThatAnotherKeyClaimedBeforeInAllThatMatters) {
    claim(bob_, {run_of(bob_, {{"optim.lr", 0.1}}, 2.0)});
    Session open = session();
    Verifier verifier = must(Verifier::make(tools(), open));
    must(verifier.write({must(verifier.judge(must(waiting_claims(open)).claims.at(0)))}));
    must(must(Database::open(ann_.index_dir() + "index.sqlite")).execute("UPDATE record SET seen_s = seen_s - 60"));
    const Stranger eve = stranger("eve");
    auto run = run_of(eve, {{"optim.lr", 0.1000001}}, 1.9999);
    run.trace_loss[0] += 1;
    claim(eve, {run});
    const Verdict verdict = judge(kReplay);
    EXPECT_EQ(verdict.result, VerdictResult::inconclusive) << verdict.reason;
    EXPECT_THAT(verdict.reason, HasSubstr("claimed before, in all that matters: optim.lr 0.1000001 against 0.1"));
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
    EXPECT_EQ(verdict.certainty, Certainty::scored) << "nobody with such a device has repeated its training";
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

TEST_F(VerifierTest, RejectsALieWhereNothingWasEverReplicated) {
    claim(bob_, {run_of(bob_, {}, 2.0)});  // claims 1.1818
    worker_.fresh_bpb = {2.34, 2.30, 2.03};
    const Verdict verdict = judge(kInFull);
    EXPECT_EQ(verdict.result, VerdictResult::rejected) << verdict.reason;
    EXPECT_EQ(verdict.tier, Tier::rerun);
    EXPECT_THAT(verdict.reason, HasSubstr("2.3400 where 1.18"));
    ASSERT_EQ(verdict.checks.back().name, "rerun");
    EXPECT_LT(*verdict.checks.back().tolerance, 0.3);
}

TEST_F(VerifierTest, GivesACandidateTheMeanOfItsFreshSeedsForAStanding) {
    claim_of_bob();
    Session open = session();
    ClaimQueue queue = must(waiting_claims(open));
    queue.claims.at(0).plan = {kInFull, "because", false};
    Verifier verifier = must(Verifier::make(tools(), open));
    const Verdict verdict = must(verifier.judge(queue.claims.at(0)));
    ASSERT_EQ(verdict.result, VerdictResult::accepted) << verdict.reason;
    must(verifier.write({verdict}));
    const Standing standing = must(open.index->standings()).at(0);
    EXPECT_NEAR(standing.val_bpb, verdict.claimed_bpb + 0.001, 1e-9);
    EXPECT_EQ(standing.fresh_seeds, 3);
}

// The claim says 1.1818 and two more runs by Ann are better still; the fresh seeds say more, and they alone count.
TEST_F(VerifierTest, GivesTheSearchTheMeanOfTheFreshSeeds) {
    claim_of_bob();
    const Verdict verdict = write_judged(kInFull);
    ASSERT_EQ(verdict.reruns.size(), 3U);
    const auto search_sees = [&] {
        Session open = session();
        const History history = must(read_history(open, {}, kCategory));
        const CandidateTable table(history);
        const CandidateStats* stats = table.find(verdict.candidate);
        EXPECT_NE(stats, nullptr);
        EXPECT_NEAR(stats->mean, verdict.claimed_bpb + 0.001, 1e-9);
        for (const Trial& trial : history.trials) {
            EXPECT_TRUE(!trial.claimed || std::abs(trial.score - verdict.claimed_bpb - 0.001) < 1e-9);
        }
        return stats->runs();
    };
    EXPECT_EQ(search_sees(), 3) << "without the claimed one";
    for (const int replicate : {1, 2}) {
        auto run = run_by(ann_, {}, 1.99, replicate);
        run.trace_loss[0] += replicate;
        spool(ann_, run);
    }
    EXPECT_EQ(search_sees(), 5) << "own runs tell of the noise";
    Session open = session();
    EXPECT_NEAR(must(open.index->standings(kCategory)).at(0).val_bpb, verdict.claimed_bpb + 0.001, 1e-9);
}

// Copies of one honest run with their figures moved a little agree with each other as no two trainings do.
TEST_F(VerifierTest, LetsTheSearchCountATrainingOnceHoweverOftenItIsClaimed) {
    std::vector<cultivar::Run> runs;
    for (int i = 0; i < 20; ++i) {
        runs.push_back(run_of(bob_, {}, 2.0 + 1e-6 * i));
        runs.back().train_s -= 0.01 * i;
    }
    claim(bob_, runs);
    Verdict verdict = judge(kReplay);
    ASSERT_EQ(verdict.result, VerdictResult::accepted) << verdict.reason;
    EXPECT_TRUE(verdict.plan->rerun_waits);
    verdict.plan->rerun_waits = false;  // as a verifier says who does not look for repeated numbers
    verdict.certainty = Certainty::accepted;
    {
        Session open = session();
        must(must(Verifier::make(tools(), open)).write({verdict}));
    }
    Session open = session();
    const History history = must(read_history(open, {}, kCategory));
    const CandidateTable table(history);
    EXPECT_EQ(table.find(verdict.candidate)->runs(), 1);
    EXPECT_EQ(estimate_noise(table).degrees_of_freedom, 0);
}

TEST_F(VerifierTest, HoldsALaterClaimAgainstTheFreshSeedsThatAreThere) {
    claim_of_bob();
    {
        Session open = session();
        ClaimQueue queue = must(waiting_claims(open));
        queue.claims.at(0).plan = {kInFull, "because", false};
        Verifier verifier = must(Verifier::make(tools(), open));
        must(verifier.write({must(verifier.judge(queue.claims.at(0)))}));
    }
    const Stranger eve = stranger("eve");
    claim(eve, {run_of(eve, {}, 1.5, 1)});  // the same candidate, a quarter better
    const auto trained = worker_.count(Mode::train);
    const Verdict verdict = judge(kReplay);
    EXPECT_EQ(verdict.result, VerdictResult::rejected) << verdict.reason;
    EXPECT_EQ(verdict.tier, Tier::rerun);
    EXPECT_EQ(worker_.count(Mode::train), trained) << "the seeds of the other claim suffice";
    EXPECT_EQ(verdict.reruns.size(), 3U);
}

TEST_F(VerifierTest, TrainsNothingOnAMachineOfAnotherCategory) {
    claim_of_bob();
    be_of_the_category(false);
    const Verdict verdict = judge(kInFull);
    EXPECT_EQ(verdict.tier, Tier::replay);
    EXPECT_EQ(verdict.certainty, Certainty::provisional);
    EXPECT_THAT(verdict.reason, HasSubstr("another category"));
    EXPECT_TRUE(verdict.reruns.empty());
}

TEST_F(VerifierTest, IsProvisionalWhileARerunIsDue) {
    claim_of_bob();
    EXPECT_EQ(judge(kReplay).certainty, Certainty::accepted) << "no rerun is due";
    const Verdict waits = judge({Tier::replay, AuditExtent::in_full, true});
    EXPECT_EQ(waits.result, VerdictResult::accepted) << waits.reason;
    EXPECT_EQ(waits.certainty, Certainty::provisional);
    EXPECT_EQ(judge(kInFull).certainty, Certainty::accepted);
}

// Ten times the steps in the budget's seconds, as the record says: its times were divided by ten.
TEST_F(VerifierTest, OwesARerunForStepsThatNoMachineOfItsCategoryTakesSoFast) {
    claim(bob_, {run_of(bob_, {}, 2.0)});
    const double claimed_step_s = 20.125 / 2;
    worker_.replay_step_s = claimed_step_s * 2;
    EXPECT_EQ(judge(kReplay).certainty, Certainty::accepted) << "another machine of the category may be twice as fast";
    worker_.replay_step_s = claimed_step_s * 10;
    const Verdict verdict = judge(kReplay);
    EXPECT_EQ(verdict.result, VerdictResult::accepted) << "it proves nothing";
    EXPECT_EQ(verdict.certainty, Certainty::provisional);
    EXPECT_TRUE(verdict.plan->rerun_waits);
    EXPECT_THAT(verdict.reason, HasSubstr("times as fast as any machine of cpu-20s-e10.5"));
    be_of_the_category(false);
    EXPECT_EQ(judge(kReplay).certainty, Certainty::accepted) << "this machine cannot tell";
}

TEST_F(VerifierTest, CountsAsAcceptedOnlyOnceItIsSure) {
    claim_of_bob();
    Session open = session();
    const auto write = [&](PlannedAudit audit) {
        ClaimQueue queue = must(claims_named(open, {must(open.index->claims()).at(0).claim.candidate}));
        queue.claims.at(0).plan = {audit, "because", false};
        Verifier verifier = must(Verifier::make(tools(), open));
        must(verifier.write({must(verifier.judge(queue.claims.at(0)))}));
        ++clock_.unix;
    };
    write({Tier::replay, AuditExtent::in_full, true});
    EXPECT_EQ(must(open.index->standings()).at(0).verdict, "provisional");
    EXPECT_TRUE(must(open.index->standings("", 0, true)).empty());
    EXPECT_EQ(must(open.index->totals()).accepted, 0);
    EXPECT_EQ(must(open.index->totals()).provisional, 1);
    EXPECT_EQ(must(open.index->contributors()).at(0).valid, 0);
    EXPECT_FALSE(must(open.index->summaries(kCategory)).at(0).accepted) << "no explorer trusts it yet";
    EXPECT_TRUE(must(open.index->needed_artifacts()).contains(must(open.index->claims()).at(0).claim.artifact));
    write(kInFull);
    EXPECT_EQ(must(open.index->standings()).at(0).verdict, "accepted");
    EXPECT_EQ(must(open.index->totals()).accepted, 1);
    EXPECT_TRUE(must(open.index->summaries(kCategory)).at(0).accepted);
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
