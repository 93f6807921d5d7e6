#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/runs/run_folder.h"
#include "pool/types/artifact_folder.h"
#include "pool/types/task_parser.h"
#include "tests/cli/verify/verify_fixture.h"

namespace cultivar {
namespace {

using testing::HasSubstr;
using testing::Not;

Task command_task(const std::string& rest) {
    Task draft;
    draft.format = 2;
    draft.name = "mine";
    draft.created = "2026-11-21T03:40:00Z";
    draft.kind = kCommandKind;
    draft.budget_s = 20;
    return must(
        parse_task(rest + "[gene.x]\ntype = \"real\"\ndefault = 0.0\nrange = [-9.0, 9.0]\n", "task.toml", &draft));
}

constexpr const char* kAlone = "metric = \"loss\"\n[command]\nrun = [\"sh\"]\nscore = { metric = \"loss\" }\n";
constexpr const char* kJudged =
    "metric = \"accuracy\"\ndirection = \"maximize\"\n[command]\nrun = [\"sh\"]\nscore = { metric = \"a\" }\n"
    "[evaluate]\nrun = [\"sh\", \"{artifact}\"]\ntolerance = 0.001\n";

constexpr const char* kHidden =
    "metric = \"accuracy\"\ndirection = \"maximize\"\n[command]\nrun = [\"sh\"]\nscore = { metric = \"a\" }\n"
    "[evaluate]\nrun = [\"sh\", \"{artifact}\", \"{hold_out}\"]\nvalidation = \"files/valid.csv\"\n";

class CommandVerifierTest : public VerifyTest {
protected:
    explicit CommandVerifierTest(const std::string& task = kAlone, const MainFiles& files = {})
        : VerifyTest(command_task(task), files) {
        worker_.job_s = 0.5;
    }

    cultivar::Run run_scoring(double loss, const std::string& artifact = "") {
        const Task& task = ann_.task;
        const Candidate candidate = must(make_candidate(task.space, task.id(), {{"x", 0.01 * ++made_}}));
        cultivar::Run run;
        run.task = task.id(), run.candidate = candidate.id, run.toml = candidate.toml;
        run.category = "cpu-20s", run.budget_s = 20;
        run.seed = run_seed(candidate.id, 0);
        run.status = RunStatus::done, run.decision = Decision::kept;
        run.operator_name = "tune", run.choice = "drawn", run.reason = "better", run.trainer = "command";
        run.train_s = run.wall_s = 1;
        run.val_bpb = loss;
        run.started = run.ended = "2026-11-21T04:00:00Z";
        run.writer = bob_.writer;
        run.energy.method = "estimated";
        if (artifact.empty()) return run;
        give_artifact(ann_, run, artifact);
        return run;
    }
    // Of the verifier's own replicates.
    void know_the_noise() {
        for (int i = 0; i < 6; ++i) {
            auto run = run_scoring(0.6 + 0.01 * i);
            run.writer = ann_.writer;
            spool(ann_, run);
            run.replicate = 1, run.seed = run_seed(run.candidate, 1), run.val_bpb = *run.val_bpb + 0.001;
            spool(ann_, run);
        }
    }
    // Bob claims it; reruns of it score `fresh`.
    void claim_scoring(double loss, std::vector<double> fresh, const std::string& artifact = "") {
        const auto run = run_scoring(loss, artifact);
        publish(bob_, {run, claim_by(bob_, run)});
        worker_.fresh_bpb = std::move(fresh);
    }
    Claim claim_by(const Stranger& who, const cultivar::Run& run) {
        Claim made = claim_of(ann_, {run});
        made.writer = who.writer;
        return made;
    }

    int made_ = 0;
};

TEST_F(CommandVerifierTest, BelievesNoScoreThatIsSelfReportedWithoutARerun) {
    claim_scoring(0.5, {0.5, 0.501});
    const Verdict word = judge({Tier::rescore, AuditExtent::sample});
    EXPECT_EQ(word.result, VerdictResult::inconclusive);
    EXPECT_THAT(word.reason, HasSubstr("self-reported"));
    EXPECT_EQ(worker_.jobs.size(), 0U);
    const Verdict made = judge({Tier::rerun, AuditExtent::sample});
    EXPECT_EQ(made.result, VerdictResult::accepted) << made.reason;
    EXPECT_EQ(made.certainty, Certainty::accepted);
    EXPECT_EQ(made.tier, Tier::rerun);
    EXPECT_EQ(made.artifact, "");
    EXPECT_EQ(worker_.count(Specification::Mode::train), 3U) << "it would be the best";
    EXPECT_NE(worker_.jobs[0].seed, worker_.jobs[1].seed);
}

TEST_F(CommandVerifierTest, RejectsAScoreThatFreshSeedsDoNotReach) {
    know_the_noise();
    claim_scoring(0.3, {0.5, 0.501, 0.502});
    const Verdict verdict = judge({Tier::rerun, AuditExtent::in_full});
    EXPECT_EQ(verdict.result, VerdictResult::rejected) << verdict.reason;
    EXPECT_EQ(verdict.tier, Tier::rerun);
    EXPECT_EQ(verdict.reruns.size(), 1U) << "a bad claim costs no more seeds than it takes";
}

TEST_F(CommandVerifierTest, RefutesNothingByARunThatItsTimeEnded) {
    know_the_noise();
    claim_scoring(0.3, {0.5});
    worker_.wall_s = 19;
    const Verdict verdict = judge({Tier::rerun, AuditExtent::in_full});
    EXPECT_EQ(verdict.result, VerdictResult::inconclusive);
    EXPECT_THAT(verdict.reason, HasSubstr("a slower machine explains it"));
    EXPECT_EQ(verdict.reruns.size(), 1U) << "which the candidate's score rests on from now on";
}

// Source that saw the name of a verifier's folder would behave there alone.
TEST_F(CommandVerifierTest, MakesARerunWhereAnExplorationWouldMakeARun) {
    claim_scoring(0.5, {0.5, 0.501});
    judge({Tier::rerun, AuditExtent::sample});
    const std::string state = std::filesystem::absolute(ann_.state_dir).string();
    EXPECT_EQ(worker_.jobs.at(0).work_dir, state + "run/work/");
    Session open = session();
    const RunFolder exploring = must(RunFolder::take(open, "cpu-20s"));
    judge({Tier::rerun, AuditExtent::sample});
    EXPECT_EQ(worker_.jobs.back().work_dir, state + "run-2/work/");
}

// Whoever runs nothing can say at most that a candidate is about as good as others.
TEST_F(CommandVerifierTest, CreditsNoCautiousGuessAtACandidateThatIsGood) {
    know_the_noise();
    claim_scoring(0.55, {0.5, 0.501, 0.502});
    const Verdict guess = judge({Tier::rerun, AuditExtent::in_full});
    EXPECT_EQ(guess.result, VerdictResult::accepted) << "the candidate is as good as claimed, and better";
    EXPECT_FALSE(guess.earns);
    worker_.wall_s = 19;
    EXPECT_TRUE(judge({Tier::rerun, AuditExtent::in_full}).earns) << "a slower machine explains it";
    worker_.wall_s = 1, worker_.fresh_bpb = {0.55, 0.551, 0.552};
    EXPECT_TRUE(judge({Tier::rerun, AuditExtent::in_full}).earns);
}

TEST_F(CommandVerifierTest, CreditsNobodyForAgreeingWithFreshSeedsThatWereKnownBefore) {
    know_the_noise();
    claim_scoring(0.5, {0.5, 0.501, 0.502});
    clock_.unix = std::time(nullptr) - 50;
    EXPECT_TRUE(write_judged({Tier::rerun, AuditExtent::in_full}).earns);
    const std::size_t paid = worker_.jobs.size();
    const auto claim_too = [&](const std::string& name) {
        const Stranger who = stranger(name);
        --made_;
        auto run = run_scoring(0.501);
        run.writer = who.writer, run.replicate = 1, run.seed = run_seed(run.candidate, 1);
        publish(who, {run, claim_by(who, run)});
        return who;
    };
    claim_too("eve");
    const Verdict late = write_judged({Tier::rerun, AuditExtent::in_full});
    EXPECT_EQ(late.result, VerdictResult::accepted) << late.reason;
    EXPECT_FALSE(late.earns);
    EXPECT_EQ(worker_.jobs.size(), paid) << "the fresh seeds are there";
    seen_before(claim_too("cai"));  // by 100 s, and so before the first verdict
    EXPECT_TRUE(write_judged({Tier::rerun, AuditExtent::in_full}).earns);
}

TEST_F(CommandVerifierTest, PlansARerunOfEveryClaimAndMakesItWhereTheShareAllows) {
    claim_scoring(0.5, {0.5, 0.501});
    Session open = session();
    const ClaimQueue queue = must(waiting_claims(open));
    EXPECT_EQ(queue.claims.at(0).plan.audit.tier, Tier::rerun);
    EXPECT_GT(queue.claims.at(0).rerun_s, 0);
    const AuditRound round = audit();
    EXPECT_EQ(round.waiting.size() + round.verdicts.size(), 1U);
}

class NoiselessVerifierTest : public CommandVerifierTest {
protected:
    NoiselessVerifierTest() : CommandVerifierTest(std::string("noise = \"none\"\n") + kAlone) {}
};

TEST_F(NoiselessVerifierTest, MakesTheSameRunAgain) {
    claim_scoring(0.5, {0.5});
    const Verdict verdict = judge({Tier::rerun, AuditExtent::in_full});
    EXPECT_EQ(verdict.result, VerdictResult::accepted) << verdict.reason;
    ASSERT_EQ(worker_.jobs.size(), 1U);
    EXPECT_EQ(worker_.jobs[0].seed, run_seed(verdict.candidate, 0));
}

TEST_F(NoiselessVerifierTest, RejectsARunThatDoesNotRepeat) {
    claim_scoring(0.5, {0.5001});
    EXPECT_EQ(judge({Tier::rerun, AuditExtent::in_full}).result, VerdictResult::rejected);
}

class JudgedVerifierTest : public CommandVerifierTest {
protected:
    JudgedVerifierTest() : CommandVerifierTest(kJudged) {}
};

TEST_F(JudgedVerifierTest, ScoresTheArtifactAgain) {
    claim_scoring(-0.9, {}, "the model");
    worker_.evaluated = 0.9005;
    const Verdict verdict = judge({Tier::rescore, AuditExtent::sample});
    EXPECT_EQ(verdict.result, VerdictResult::accepted) << verdict.reason;
    EXPECT_EQ(verdict.certainty, Certainty::scored) << "nobody knows yet how it was made";
    EXPECT_EQ(verdict.measured_bpb, -0.9005);
    EXPECT_EQ(verdict.tolerance_bpb, 0.001);
    EXPECT_EQ(worker_.count(Specification::Mode::score), 1U);
    EXPECT_EQ(worker_.jobs[0].budget_s, 20) << "as at the end of the run";
}

TEST_F(JudgedVerifierTest, RejectsAScoreThatTheArtifactDoesNotHave) {
    claim_scoring(-0.9, {}, "the model");
    worker_.evaluated = 0.89;
    const Verdict verdict = judge({Tier::rerun, AuditExtent::in_full});
    EXPECT_EQ(verdict.result, VerdictResult::rejected);
    EXPECT_EQ(verdict.tier, Tier::rescore);
    EXPECT_THAT(verdict.reason, HasSubstr("its artifact scores 0.89 where 0.9 was claimed"));
    EXPECT_EQ(worker_.count(Specification::Mode::train), 0U);
}

TEST_F(JudgedVerifierTest, IsNotSureWhereTheEvaluatorFails) {
    claim_scoring(-0.9, {}, "the model");
    worker_.how = Outcome::How::died;
    worker_.message = "left with exit code 1";
    EXPECT_EQ(judge({Tier::rescore, AuditExtent::sample}).result, VerdictResult::inconclusive);
    worker_.how = Outcome::How::error_event;
    worker_.error = ErrorEvent{"artifact", "no model"};
    EXPECT_EQ(judge({Tier::rescore, AuditExtent::sample}).result, VerdictResult::rejected) << "it says so itself";
}

TEST_F(JudgedVerifierTest, OwesAScoredClaimARerunOnceItLeads) {
    claim_scoring(-0.9, {0.9, 0.899, 0.901}, "the model");  // as the program counts
    worker_.evaluated = 0.9;
    write_judged({Tier::rescore, AuditExtent::sample});
    Session open = session();
    const ClaimQueue queue = must(waiting_claims(open, clock_.unix_s()));
    ASSERT_EQ(queue.claims.size(), 1U);
    EXPECT_TRUE(queue.claims[0].owed);
    EXPECT_EQ(queue.claims[0].plan.audit.tier, Tier::rerun);
    EXPECT_EQ(judge({Tier::rerun, AuditExtent::in_full}).certainty, Certainty::accepted);
}

// Bytes that the claimant signed, and no program of his left.
TEST_F(JudgedVerifierTest, RejectsAnArtifactThatIsHalfAFolder) {
    const std::string folder = must(pack_artifact_folder({{"model", "weights"}, {"config", "{}"}}));
    claim_scoring(-0.9, {}, folder.substr(0, folder.size() - 512));
    worker_.evaluated = 0.9;
    const Verdict verdict = judge({Tier::rescore, AuditExtent::sample});
    EXPECT_EQ(verdict.result, VerdictResult::rejected);
    EXPECT_EQ(verdict.tier, Tier::structure);
    EXPECT_EQ(worker_.jobs.size(), 0U);
}

TEST_F(JudgedVerifierTest, LaysAFolderOutForTheEvaluator) {
    claim_scoring(-0.9, {}, must(pack_artifact_folder({{"model", "weights"}, {"deep/config", "{}"}})));
    worker_.evaluated = 0.9;
    std::string found;
    worker_.fault = [&](const Specification& job) -> std::optional<Error> {
        found = read_file(job.artifact + "/model").value_or("") + read_file(job.artifact + "/deep/config").value_or("");
        return std::nullopt;
    };
    EXPECT_EQ(judge({Tier::rescore, AuditExtent::sample}).result, VerdictResult::accepted);
    EXPECT_EQ(found, "weights{}");
}

class HiddenVerifierTest : public CommandVerifierTest {
protected:
    HiddenVerifierTest() : CommandVerifierTest(kHidden, {{"files/valid.csv", "public"}}) {
        import_hold_out();
        worker_.evaluated = 0.9;
        elsewhere(0.88);
    }
    void import_hold_out() {
        std::filesystem::create_directories(hold_out_folder(ann_));
        must(write_file_atomically(hold_out_folder(ann_) + kSlice, "secret"));
        HoldOutMade made;
        made.slices.push_back({kSlice, {}});
        must(HoldOut::settle(ann_, made));
    }
    void have_none() { std::filesystem::remove_all(hold_out_folder(ann_)); }
    void elsewhere(double score) {
        worker_.on_hold_out = [score](const Specification&) { return score; };
    }
    // Claims that were only scored, as nearly all of such a pool.
    void others_were_judged(int count) {
        for (int i = 0; i < count; ++i) {
            const double score = 0.8 + 0.01 * i;
            claim_scoring(-score, {}, "model " + std::to_string(i));
            worker_.evaluated = score;
            elsewhere(score - 0.02 + 0.001 * (i % 3));
            write_score_of("model " + std::to_string(i));
        }
    }
    // The verdict on the claim of this artifact, whatever else waits.
    Verdict score_of(Session& open, const std::string& artifact) {
        for (QueuedClaim& one : must(waiting_claims(open)).claims) {
            if (one.row.claim.artifact != sha256_hex(artifact)) continue;
            one.plan = {kScored, "because", false};
            return must(must(Verifier::make(tools(), open)).judge(one));
        }
        throw std::runtime_error("it does not wait");
    }
    Verdict write_score_of(const std::string& artifact) {
        Session open = session();
        const Verdict verdict = score_of(open, artifact);
        must(must(Verifier::make(tools(), open)).write({verdict}));
        ++clock_.unix;
        return verdict;
    }
    Verdict score_of(const std::string& artifact) {
        Session open = session();
        return score_of(open, artifact);
    }
    static constexpr const char* kByHeart = "it learnt the file by heart";
    static constexpr const char* kSlice = "slice_00.valid.csv";
    static constexpr PlannedAudit kScored{Tier::rescore, AuditExtent::sample};
    static constexpr PlannedAudit kRerun{Tier::rerun, AuditExtent::in_full};
};

TEST_F(HiddenVerifierTest, ScoresTheArtifactOnceMoreOnItsOwnFileAndTellsNothingOfIt) {
    claim_scoring(-0.9, {}, "the model");
    const Verdict verdict = judge(kScored);
    EXPECT_EQ(verdict.result, VerdictResult::accepted) << verdict.reason;
    ASSERT_EQ(worker_.jobs.size(), 2U);
    EXPECT_EQ(worker_.jobs[0].val_shard, "");
    EXPECT_EQ(worker_.jobs[1].val_shard, hold_out_folder(ann_) + kSlice);
    EXPECT_EQ(verdict.measured_bpb, -0.9);
    ASSERT_EQ(verdict.checks.size(), 2U);
    EXPECT_EQ(verdict.checks[1].name, "hold-out gap");
    EXPECT_EQ(verdict.checks[1].measured, 0.02);
    EXPECT_FALSE(verdict.checks[1].claimed) << "nobody is known yet";
    EXPECT_EQ(verdict.data.back().sha256, must(HoldOut::open(ann_)).serving(clock_.unix_s())->commitment);
    const std::string line = to_line(verdict);
    for (const std::string& own : {std::string("secret"), sha256_hex("secret"), std::string(kSlice), ann_.state_dir})
        EXPECT_THAT(line, Not(HasSubstr(own)));
}

TEST_F(HiddenVerifierTest, RejectsAnArtifactThatIsBetterOnTheValidationFileAlone) {
    others_were_judged(9);
    claim_scoring(-0.99, {}, kByHeart);
    worker_.evaluated = 0.99;
    elsewhere(0.7);
    const Verdict verdict = score_of(kByHeart);
    EXPECT_EQ(verdict.result, VerdictResult::rejected) << verdict.reason;
    EXPECT_EQ(verdict.tier, Tier::rescore);
    EXPECT_THAT(verdict.reason, HasSubstr("hold-out: it was trained on the validation data: a gap of +0.29 where 9"));
    elsewhere(0.971);
    EXPECT_EQ(score_of(kByHeart).result, VerdictResult::accepted);
}

TEST_F(HiddenVerifierTest, JudgesTheGapOfAnEarlyClaimOnceOthersAreKnown) {
    claim_scoring(-0.99, {}, kByHeart);
    worker_.evaluated = 0.99;
    elsewhere(0.7);
    const Verdict early = write_score_of(kByHeart);
    EXPECT_EQ(early.result, VerdictResult::accepted) << "nobody is known yet";
    others_were_judged(9);
    Session open = session();
    const std::size_t jobs = worker_.jobs.size();
    const std::vector<Verdict> later = must(must(Verifier::make(tools(), open)).review());
    ASSERT_GE(later.size(), 1U);
    const auto found = std::ranges::find(later, early.claim, &Verdict::claim);
    ASSERT_NE(found, later.end());
    EXPECT_EQ(found->result, VerdictResult::rejected) << found->reason;
    EXPECT_EQ(worker_.jobs.size(), jobs) << "nothing is scored again";
}

// A program of the pool may have seen the validation file each time that it ran.
TEST_F(HiddenVerifierTest, AcceptsNothingForGoodBeforeItsGapIsJudgedWhateverItsRerunSays) {
    claim_scoring(-0.9, {0.9, 0.899, 0.901}, "the model");
    const Verdict early = write_judged(kRerun);
    EXPECT_EQ(early.tier, Tier::rerun) << early.reason;
    EXPECT_EQ(early.certainty, Certainty::provisional);
    EXPECT_THAT(early.reason, HasSubstr("hold-out: a gap of +0.02, too few others"));
    EXPECT_FALSE(must(session().index->record_holder("cpu-20s", ""))) << "no record yet";
    others_were_judged(9);
    Session open = session();
    const std::vector<Verdict> later = must(must(Verifier::make(tools(), open)).review());
    const auto found = std::ranges::find(later, early.claim, &Verdict::claim);
    ASSERT_NE(found, later.end());
    EXPECT_EQ(found->certainty, Certainty::accepted) << found->reason;
    EXPECT_TRUE(must(session().index->record_holder("cpu-20s", "")));
}

TEST_F(HiddenVerifierTest, SaysThatThereIsNoHoldOutAndOwesTheGapUntilThereIsOne) {
    have_none();
    claim_scoring(-0.9, {0.9, 0.899, 0.901}, "the model");
    const AuditRound round = audit({ShareUse::all_beyond, std::nullopt, false});
    ASSERT_FALSE(observer_.warnings.empty());
    EXPECT_THAT(observer_.warnings.front(), HasSubstr("cultivar data import --hold-out FILE"));
    ASSERT_EQ(round.verdicts.size(), 1U);
    const Verdict& without = round.verdicts[0];
    EXPECT_EQ(without.tier, Tier::rerun) << without.reason;
    EXPECT_EQ(without.certainty, Certainty::provisional);
    EXPECT_THAT(without.reason, HasSubstr("its gap is open: this verifier has no hold-out"));
    Session open = session();
    EXPECT_TRUE(must(waiting_claims(open)).claims.empty()) << "nothing more can be done here";
    import_hold_out();
    Session later = session();
    const ClaimQueue queue = must(waiting_claims(later));
    ASSERT_EQ(queue.claims.size(), 1U);
    EXPECT_EQ(queue.claims[0].plan.audit.tier, Tier::rerun) << "its fresh seeds count again";
    const std::size_t trained = worker_.count(Specification::Mode::train);
    observer_.warnings.clear();
    const Verdict with = must(must(Verifier::make(tools(), later)).judge(queue.claims[0]));
    EXPECT_EQ(with.tier, Tier::rerun) << with.reason;
    EXPECT_TRUE(std::ranges::any_of(with.checks, [](const Check& one) { return one.name == "hold-out gap"; }));
    EXPECT_EQ(worker_.count(Specification::Mode::train), trained);
    audit();
    EXPECT_THAT(observer_.warnings, Not(testing::Contains(HasSubstr("no hold-out serves here"))));
}

TEST_F(HiddenVerifierTest, VouchesForNoArtifactThatHasNoScoreThere) {
    claim_scoring(-0.9, {}, "a table of the rows that are known");
    worker_.on_hold_out = [](const Specification&) { return std::nullopt; };
    const Verdict verdict = judge(kScored);
    EXPECT_EQ(verdict.result, VerdictResult::inconclusive);
    EXPECT_THAT(to_line(verdict), Not(HasSubstr("secret"))) << "an evaluator may quote the file";
    ASSERT_FALSE(observer_.warnings.empty());
    EXPECT_THAT(observer_.warnings.back(), HasSubstr("no such row")) << "its owner is told";
}

TEST_F(HiddenVerifierTest, BeginsAFileWithArtifactsThatAreHere) {
    others_were_judged(9);
    std::filesystem::remove_all(hold_out_folder(ann_) + "seen.jsonl");
    claim_scoring(-0.99, {}, kByHeart);
    worker_.evaluated = 0.99;
    int asked = 0;
    worker_.on_hold_out = [&](const Specification&) { return asked < 9 ? 0.86 - 0.01 * asked++ : 0.7; };
    const Verdict verdict = score_of(kByHeart);
    EXPECT_EQ(verdict.result, VerdictResult::rejected) << verdict.reason;
    EXPECT_EQ(asked, 9);
}

TEST_F(JudgedVerifierTest, ScoresOnNoFileOfItsOwnWhereTheTaskDoesNotNameIt) {
    std::filesystem::create_directories(hold_out_folder(ann_));
    must(write_file_atomically(hold_out_folder(ann_) + "slice_00.valid.csv", "secret"));
    HoldOutMade made;
    made.slices.push_back({"slice_00.valid.csv", {}});
    must(HoldOut::settle(ann_, made));
    claim_scoring(-0.9, {}, "the model");
    worker_.evaluated = 0.9;
    judge({Tier::rescore, AuditExtent::sample});
    EXPECT_EQ(worker_.jobs.size(), 1U);
}

TEST_F(JudgedVerifierTest, RefusesAClaimWithoutAnArtifact) {
    claim_scoring(-0.9, {});
    const Verdict verdict = judge({Tier::rescore, AuditExtent::sample});
    EXPECT_EQ(verdict.result, VerdictResult::rejected);
    EXPECT_THAT(verdict.reason, HasSubstr("it names no artifact"));
}

}  // namespace
}  // namespace cultivar
