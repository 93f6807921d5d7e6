// The tiers of a claim in a pool with a command of its own: structure, a score of the same artifact by the pool's evaluator
// if it has one, a rerun. Without an evaluator a score is self-reported, and a rerun alone can accept it.
#include <algorithm>

#include <fmt/format.h>

#include "cli/runs/command_runner.h"
#include "cli/runs/score_artifact.h"
#include "cli/verify/origin_check.h"
#include "cli/verify/verifier.h"
#include "eval/judge/score_rerun.h"
#include "pool/types/score_text.h"

namespace cultivar {
namespace {

// A rerun that took this part of its budget was ended by it, as far as anybody can tell: a slower machine does less in it.
constexpr double kBoundByTime = 0.8;

}  // namespace

Result<void> Verifier::check_command_tiers(const QueuedClaim& one, Verdict& verdict) {
    TRY_ASSIGN(bool good, check_structure_of(one, verdict));
    if (!good) return {};
    const Tier planned = one.plan.audit.tier;
    if (session_.clone->task.command->evaluator) {
        TRY_ASSIGN(const std::optional<std::string> artifact, artifact_of(one, verdict));
        if (!artifact) return {};
        if (planned < Tier::rescore) return not_scored(verdict), Result<void>();
        TRY_ASSIGN(good, evaluate_again(one, *artifact, verdict));
        if (!good) return {};
        TRY(planned >= Tier::rerun ? train_again(one, verdict) : hold_against_fresh_seeds(one, verdict));
        return {};
    }
    conclude(verdict, VerdictResult::inconclusive, Tier::structure,
             "its score is self-reported, which a rerun alone can confirm");
    if (planned < Tier::rerun) return {};
    TRY_ASSIGN(good, train_again(one, verdict));
    if (good) conclude(verdict, VerdictResult::accepted, Tier::rerun, verdict.reason);
    return {};
}

// Scores the claim's artifact by the pool's evaluator.
Verifier::Tried Verifier::evaluate_again(const QueuedClaim& one, const std::string& artifact, Verdict& verdict) {
    const Task& task = session_.clone->task;
    const Evaluator& evaluator = *task.command->evaluator;
    TRY_ASSIGN(const Candidate candidate, candidate_of(one));
    const double begun_s = tools_.clock.now_s();
    TRY_ASSIGN(const Scored scored,
               score_artifact(tools_.worker, tools_.observer, session_, candidate.genes, artifact, {}, kVerifyFolder,
                              "", job_limit_s(one.jobs, one.expected_s, one.tries)));
    if (!scored_by_evaluator(scored, verdict)) return false;
    const double claimed = *one.artifact_run()->val_bpb, measured = loss_of(task, *scored.outcome.done);
    verdict.measured_bpb = measured;
    verdict.checks.push_back({"evaluator", claimed, measured, evaluator.tolerance, 1, std::nullopt, std::nullopt,
                              tools_.clock.now_s() - begun_s});
    const ScoreText text(task);
    const bool agree = scores_agree(evaluator, claimed, measured);
    conclude(verdict, agree ? VerdictResult::accepted : VerdictResult::rejected, Tier::rescore,
             fmt::format("its artifact scores {} where {} was claimed", text.of(measured), text.of(claimed)));
    if (!agree) return false;
    TRY_ASSIGN(const Origin origin, origin_of(session_, one, {}, {}));
    if (origin.same_as.empty()) return evaluate_on_hold_out(one, artifact, measured, verdict);
    conclude(verdict, VerdictResult::inconclusive, Tier::rescore, origin.same_as);
    return false;
}

// An evaluator may say itself that an artifact is none; any other failure may be this machine's.
bool Verifier::scored_by_evaluator(const Scored& scored, Verdict& verdict) {
    const Outcome& outcome = scored.outcome;
    if (outcome.error && outcome.error->kind == "artifact") {
        conclude(verdict, VerdictResult::rejected, Tier::rescore, outcome.error->message);
        return false;
    }
    if (outcome.how == Outcome::How::done && outcome.done) return true;
    fail_outside(Tier::structure, "the evaluator gives its artifact no score here: " + outcome.message, verdict);
    return false;
}

Result<RerunJudgement> Verifier::judge_command_seeds(const QueuedClaim& one, const std::vector<double>& fresh,
                                                     const ReplicateScores& others, int looks) const {
    const Task& task = session_.clone->task;
    const ScoreClaim claim{one.row.claim.val_bpb, static_cast<int>(one.runs.size())};
    const ScoreText text(task);
    if (task.noiseless) return judge_repeat(claim, fresh, text);
    ScoreSpread spread;
    for (const std::vector<double>& scores : others) spread.add(scores);
    return judge_score_rerun(claim, fresh, spread, looks, text);
}

// The score of a run that its time ended refutes nothing: the claim's machine may be faster or slower.
bool Verifier::explained_by_speed(const QueuedClaim& one, const Verdict& verdict) const {
    return session_.clone->task.command && std::ranges::any_of(verdict.reruns, [&](const Rerun& rerun) {
               return rerun.seconds >= kBoundByTime * one.budget_s();
           });
}

// A command's run cannot be replayed, so a claim of one that was never made is accepted wherever the candidate is good. It
// earns nothing if it is a cautious guess, or if the fresh seeds that it agrees with were known before it.
Result<void> Verifier::settle_credit(const QueuedClaim& one, const RerunJudgement& judgement, Verdict& verdict) {
    const Task& task = session_.clone->task;
    if (!task.command || task.noiseless || !judgement.judged || !judgement.accepted) return {};
    TRY_ASSIGN(const bool known_before, session_.index->saw_after_own_reruns(one.row));
    const bool guessed = judgement.too_bad && !explained_by_speed(one, verdict);
    verdict.earns = !known_before && !guessed;
    return {};
}

}  // namespace cultivar
