#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/types/task_parser.h"
#include "tests/cli/verify/verify_fixture.h"

namespace cultivar {
namespace {

using testing::HasSubstr;

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

class CommandVerifierTest : public VerifyTest {
protected:
    explicit CommandVerifierTest(const std::string& task = kAlone) : VerifyTest(command_task(task)) {
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
    for (int i = 0; i < 6; ++i) {  // the verifier's own replicates tell the noise
        auto run = run_scoring(0.6 + 0.01 * i);
        run.writer = ann_.writer;
        spool(ann_, run);
        run.replicate = 1, run.seed = run_seed(run.candidate, 1), run.val_bpb = *run.val_bpb + 0.001;
        spool(ann_, run);
    }
    claim_scoring(0.3, {0.5, 0.501, 0.502});
    const Verdict verdict = judge({Tier::rerun, AuditExtent::in_full});
    EXPECT_EQ(verdict.result, VerdictResult::rejected) << verdict.reason;
    EXPECT_EQ(verdict.tier, Tier::rerun);
    EXPECT_EQ(verdict.reruns.size(), 1U) << "a bad claim costs no more seeds than it takes";
}

TEST_F(CommandVerifierTest, RefutesNothingByARunThatItsTimeEnded) {
    for (int i = 0; i < 6; ++i) {
        auto run = run_scoring(0.6 + 0.01 * i);
        run.writer = ann_.writer;
        spool(ann_, run);
        run.replicate = 1, run.seed = run_seed(run.candidate, 1), run.val_bpb = *run.val_bpb + 0.001;
        spool(ann_, run);
    }
    claim_scoring(0.3, {0.5});
    worker_.wall_s = 19;
    const Verdict verdict = judge({Tier::rerun, AuditExtent::in_full});
    EXPECT_EQ(verdict.result, VerdictResult::inconclusive);
    EXPECT_THAT(verdict.reason, HasSubstr("a slower machine explains it"));
    EXPECT_EQ(verdict.reruns.size(), 1U) << "which the candidate's score rests on from now on";
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

TEST_F(JudgedVerifierTest, RefusesAClaimWithoutAnArtifact) {
    claim_scoring(-0.9, {});
    const Verdict verdict = judge({Tier::rescore, AuditExtent::sample});
    EXPECT_EQ(verdict.result, VerdictResult::rejected);
    EXPECT_THAT(verdict.reason, HasSubstr("it names no artifact"));
}

}  // namespace
}  // namespace cultivar
