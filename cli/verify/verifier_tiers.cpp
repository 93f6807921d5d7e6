// The tiers that need the worker: rescore, replay and rerun.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "cli/runs/command_runner.h"
#include "cli/runs/machine_category.h"
#include "cli/runs/rerun_worker.h"
#include "cli/runs/score_artifact.h"
#include "cli/verify/origin_check.h"
#include "cli/verify/verifier.h"
#include "eval/judge/audit_cost.h"
#include "eval/judge/certainty.h"
#include "eval/judge/rerun_test.h"
#include "eval/judge/rescore_test.h"
#include "eval/judge/structure_check.h"
#include "eval/statistics/significance.h"
#include "pool/types/category.h"
#include "train/protocol/replay_spec.h"

namespace cultivar {
namespace {

constexpr const char* kRerunCheck = "rerun";

// An oddity proves nothing; a training of the verifier's own settles it.
void owe_rerun(const std::string& why, Verdict& verdict) {
    if (!verdict.plan) verdict.plan.emplace();
    verdict.plan->rerun_waits = verdict.plan->tier < Tier::rerun;
    add_reason(verdict, why + ", so it owes a rerun");
}

double scoring_limit_s(const QueuedClaim& one, std::int64_t targets, std::size_t chunks) {
    const double share = static_cast<double>(chunks) / kScoreChunks;
    return job_limit_s(one.jobs, kStart_s + one.jobs.target * static_cast<double>(targets) * share, one.tries);
}

double replay_limit_s(const QueuedClaim& one, const Run& run, int steps) {
    const double known_s = one.jobs.step * steps;
    return job_limit_s(one.jobs, kStart_s + (known_s > 0 ? known_s : kReplayShare * run.budget_s), one.tries);
}

}  // namespace

Result<Candidate> Verifier::candidate_of(const QueuedClaim& one) const {
    const Clone& clone = *session_.clone;
    return parse_canonical(clone.task.space, clone.task_id, one.row.claim.toml);
}

// Judges the weights by the worker's answer. True: they were scored on all the chunks that were asked for.
Result<bool> Verifier::scored_well(const Scored& scored, std::size_t chunks, Verdict& verdict) {
    const Outcome& outcome = scored.outcome;
    verdict.evaluator = scored.start.trainer;
    if (outcome.error && outcome.error->kind == "artifact") {
        conclude(verdict, VerdictResult::rejected, Tier::rescore, outcome.error->message);
        return false;
    }
    const UseCost cost = {scored.start.parameters, scored.start.flops_per_token, std::nullopt};
    if (auto over = over_cap(cost, session_.clone->task.caps)) {
        conclude(verdict, VerdictResult::rejected, Tier::structure, *over);
        return false;
    }
    if (!outcome.done) {
        fail_outside(Tier::rescore, outcome.message, verdict);
        return false;
    }
    if (outcome.done->chunk_loss_sums.size() != chunks) {
        fail_outside(Tier::rescore, "the worker did not score the chunks it was asked for", verdict);
        return false;
    }
    return true;
}

Verifier::Tried Verifier::rescore(const QueuedClaim& one, const std::string& weights, Verdict& verdict) {
    const Clone& clone = *session_.clone;
    const ValidationPart& slice = clone.task.data->slice_score;
    const Run& run = *one.artifact_run();
    const bool hidden = hold_out_.serving(tools_.clock.unix_s()).has_value();
    const AuditCost effort =
        rescore_effort(run, one.claim_s, static_cast<double>(slice.targets),
                       hidden ? ScoredParts::slice_and_hold_out : ScoredParts::slice, one.plan.audit.extent);
    TRY_ASSIGN(Candidate candidate, candidate_of(one));
    const std::vector<int> chunks = draw_chunks(effort.slice_chunks);
    const double begun_s = tools_.clock.now_s();
    TRY_ASSIGN(Scored scored, score_artifact(tools_.worker, tools_.observer, session_, candidate.genes, weights, chunks,
                                             kVerifyFolder, "", scoring_limit_s(one, slice.targets, chunks.size())));
    TRY_ASSIGN(bool good, scored_well(scored, chunks.size(), verdict));
    if (!good) return false;
    const RescoreJudgement judgement =
        judge_rescore(run.chunk_loss_sums, chunks, scored.outcome.done->chunk_loss_sums, slice.targets, slice.bytes);
    verdict.measured_bpb = judgement.measured_bpb;
    verdict.chunks = static_cast<int>(chunks.size());
    verdict.checks.push_back({"slice", judgement.claimed_bpb, judgement.measured_bpb, kRescoreTolerance_bpb,
                              verdict.chunks, judgement.low_bpb, judgement.high_bpb, tools_.clock.now_s() - begun_s});
    conclude(verdict, judgement.accepted ? VerdictResult::accepted : VerdictResult::rejected, Tier::rescore,
             judgement.reason);
    if (!judgement.accepted) return false;
    TRY_ASSIGN(const Origin origin, origin_of(session_, one, chunks, scored.outcome.done->chunk_loss_sums));
    if (!origin.same_as.empty()) {
        conclude(verdict, VerdictResult::inconclusive, Tier::rescore, origin.same_as);
        return false;
    }
    if (!origin.taken_from.empty()) owe_rerun(origin.taken_from, verdict);
    return rescore_elsewhere(one, weights, judgement.slice_bpb, verdict);
}

// Scores it on the hold-out, and on the full set too if it would be the best of its category.
Verifier::Tried Verifier::rescore_elsewhere(const QueuedClaim& one, const std::string& weights, double slice_bpb,
                                            Verdict& verdict) {
    const Clone& clone = *session_.clone;
    const Data& data = *clone.task.data;
    auto hidden = hold_out_.serving(tools_.clock.unix_s());
    if (hidden) {
        const auto targets = static_cast<double>(data.slice_score.targets);
        const AuditCost effort = rescore_effort(*one.artifact_run(), one.claim_s, targets,
                                                ScoredParts::slice_and_hold_out, one.plan.audit.extent);
        TRY(begin_slice(*hidden));
        hidden->order.resize(static_cast<std::size_t>(effort.hold_out_chunks));
        verdict.data.push_back({"hold-out", hidden->commitment});
        TRY_ASSIGN(bool good, rescore_part(one, weights, slice_bpb, *hidden, "hold-out", verdict));
        if (!good) return false;
    }
    const std::string full = clone.data_dir() + data.full.name;
    if (!one.impact.best || !std::filesystem::exists(full)) return true;
    std::vector<int> all(kScoreChunks);
    for (int chunk = 0; chunk < kScoreChunks; ++chunk) all[static_cast<std::size_t>(chunk)] = chunk;
    verdict.data.push_back({"full", data.full.sha256});
    return rescore_part(one, weights, slice_bpb,
                        {kFullSet, full, data.full_score.targets, data.full_score.bytes, all, ""}, "full set", verdict);
}

// Compares with the score that the weights have on the slice, whatever the claim says that they have.
Verifier::Tried Verifier::rescore_part(const QueuedClaim& one, const std::string& weights, double slice_bpb,
                                       const ServingSlice& part, const std::string& label, Verdict& verdict) {
    TRY_ASSIGN(Candidate candidate, candidate_of(one));
    const double begun_s = tools_.clock.now_s();
    TRY_ASSIGN(Scored scored,
               score_artifact(tools_.worker, tools_.observer, session_, candidate.genes, weights, part.order,
                              kVerifyFolder, part.path, scoring_limit_s(one, part.targets, part.order.size())));
    TRY_ASSIGN(bool good, scored_well(scored, part.order.size(), verdict));
    if (!good) return false;
    const Appearance here{part.name, one.row.id, one.row.claim.candidate, slice_bpb,
                          in_order(part.order, scored.outcome.done->chunk_loss_sums)};
    return compare_gap(here, part, label, begun_s, verdict);
}

Verifier::Tried Verifier::replay(const QueuedClaim& one, Verdict& verdict) {
    const std::string& device = session_.settings.device.value;
    if (is_of_another_device(category_named(one.row.claim.category), device)) {
        add_reason(verdict, fmt::format("not replayed: it was made on another device than {}", device));
        return false;
    }
    std::vector<const RunRow*> rows;
    for (const RunRow& row : one.runs) rows.push_back(&row);
    if (one.plan.audit.extent == AuditExtent::sample) {
        const auto drawn = static_cast<std::size_t>(draw_lot() * static_cast<double>(rows.size()));
        rows = {rows[std::min(drawn, rows.size() - 1)]};
    }
    for (const RunRow* row : rows) {
        TRY_ASSIGN(bool good, replay_one(one, *row, verdict));
        if (!good) return false;
    }
    return true;
}

Verifier::Tried Verifier::replay_one(const QueuedClaim& one, const RunRow& row, Verdict& verdict) {
    const int steps = replay_steps(row.run);
    if (steps == 0) {
        conclude(verdict, VerdictResult::inconclusive, Tier::rescore,
                 fmt::format("its run {} has no whole trace of its first steps to replay", short_id(row.id)));
        return false;
    }
    const double begun_s = tools_.clock.now_s();
    TRY_ASSIGN(const WorkerResult again, replay_run(tools_.worker, tools_.observer, tools_.clock, session_, row.run,
                                                    steps, replay_limit_s(one, row.run, steps), kVerifyFolder));
    if (again.outcome.how != Outcome::How::done || again.losses.size() != static_cast<std::size_t>(steps)) {
        fail_outside(Tier::rescore,
                     fmt::format("its run {} cannot be replayed here: {}", short_id(row.id), again.outcome.message),
                     verdict);
        return false;
    }
    const double deviation = trace_deviation(row.run.trace_loss, again.losses);
    verdict.checks.push_back({"replay", std::nullopt, deviation, kTraceTolerance, steps, std::nullopt, std::nullopt,
                              tools_.clock.now_s() - begun_s});
    const std::string figures = fmt::format("{} of its first steps replayed, losses within {:.1e}", steps, deviation);
    if (!(deviation <= kTraceTolerance)) {
        conclude(
            verdict, VerdictResult::rejected, Tier::replay,
            fmt::format("its run {} did not go as recorded: losses of {} first steps differ by up to {:.1e}, allowed "
                        "{:.0e}",
                        short_id(row.id), steps, deviation, kTraceTolerance));
        return false;
    }
    verdict.tier = Tier::replay;
    add_reason(verdict, figures);
    compare_pace(row, again.step_s, verdict);
    return true;
}

// A run whose steps are shorter than its category allows owes a rerun, which has the category's budget and no more.
void Verifier::compare_pace(const RunRow& row, double here_step_s, Verdict& verdict) const {
    const Run& run = row.run;
    if (run.steps < 1 || !is_category_here(session_, run.category, run.budget_s)) return;
    const Pace pace{run.train_s / static_cast<double>(run.steps), here_step_s,
                    known_speed(session_, run.category).value_or(0)};
    const std::string why = too_fast_for(category_named(run.category), pace);
    if (why.empty()) return;
    owe_rerun(fmt::format("its run {}: {}", short_id(row.id), why), verdict);
}

// Trains it with fresh seeds until enough are there or the claim is refuted. The seeds of all verdicts on the candidate
// count.
Verifier::Tried Verifier::train_again(const QueuedClaim& one, Verdict& verdict) {
    const int looks = seeds_due(session_.clone->task, one);
    if (looks > 0 && !can_rerun(session_, one)) {
        add_reason(verdict, "not rerun: this machine is of another category");
        verdict.plan->tier = session_.clone->task.command ? Tier::rescore : Tier::replay;
        verdict.plan->rerun_waits = true;
        return hold_against_fresh_seeds(one, verdict);
    }
    const double begun_s = tools_.clock.now_s();
    RerunJudgement judgement;
    if (looks == 0) {
        TRY_ASSIGN(judgement, judge_fresh_seeds(one, 1, verdict));
    }
    for (int look = 0; look < looks && (look == 0 || judgement.accepted); ++look) {
        TRY_ASSIGN(const bool made, one_more_seed(one, verdict));
        if (!made && verdict.reruns.empty()) return false;
        TRY_ASSIGN(judgement, judge_fresh_seeds(one, looks, verdict));
        if (!made) break;
    }
    verdict.checks.back().seconds = tools_.clock.now_s() - begun_s;
    if (!judgement.accepted) return false;
    if (!judgement.judged) {
        add_reason(verdict, judgement.reason);
        verdict.plan->rerun_waits = true;
        return false;
    }
    verdict.tier = Tier::rerun;
    add_reason(verdict, judgement.reason);
    return true;
}

// A claim that is not trained again may not exceed the fresh seeds that are there either.
Verifier::Tried Verifier::hold_against_fresh_seeds(const QueuedClaim& one, Verdict& verdict) {
    if (verdict.reruns.empty()) return true;
    TRY_ASSIGN(const RerunJudgement judgement, judge_fresh_seeds(one, 1, verdict));
    if (judgement.accepted) add_reason(verdict, judgement.reason);
    return judgement.accepted;
}

Result<RerunJudgement> Verifier::judge_fresh_seeds(const QueuedClaim& one, int looks, Verdict& verdict) {
    const Claim& claim = one.row.claim;
    TRY_ASSIGN(const ReplicateScores others, others_of(claim));
    const std::vector<double> fresh = fresh_scores(verdict.reruns);
    RerunJudgement judgement;
    if (session_.clone->task.command) {
        TRY_ASSIGN(judgement, judge_command_seeds(one, fresh, others, looks));
    } else {
        SeedSpread spread;
        for (const std::vector<double>& scores : others) spread.add(scores);
        judgement = judge_rerun(claim.val_bpb, static_cast<int>(one.runs.size()), fresh, spread, looks);
    }
    std::erase_if(verdict.checks, [](const Check& check) { return check.name == kRerunCheck; });
    Check check{kRerunCheck, claim.val_bpb, moments(fresh).mean, judgement.allowed_bpb,
                static_cast<std::int64_t>(fresh.size())};
    if (fresh.size() > 1) {
        TRY_ASSIGN(const Interval mean, mean_interval(fresh, kConfidence));
        check.low = mean.low, check.high = mean.high;
    }
    verdict.checks.push_back(check);
    TRY(settle_credit(one, judgement, verdict));
    if (judgement.accepted) return judgement;
    if (explained_by_speed(one, verdict))
        fail_outside(Tier::structure,
                     judgement.reason + "; its time ended the rerun, so a slower machine explains it too", verdict);
    else
        conclude(verdict, VerdictResult::rejected, Tier::rerun, judgement.reason);
    return judgement;
}

// The scores of other candidates' replicates: of this clone's own runs, and of verifiers' fresh seeds.
Result<Verifier::ReplicateScores> Verifier::others_of(const Claim& claim) {
    TRY_ASSIGN(const auto reruns, session_.index->reruns(claim.category));
    TRY_ASSIGN(const auto own, session_.index->own_scores(claim.category));
    ReplicateScores others;
    for (const auto& [candidate, scores] : own) {
        if (candidate != claim.candidate) others.push_back(scores);
    }
    for (const auto& [candidate, made] : reruns) {
        if (candidate != claim.candidate) others.push_back(fresh_scores(made));
    }
    return others;
}

Verifier::Tried Verifier::one_more_seed(const QueuedClaim& one, Verdict& verdict) {
    const Run& run = *one.artifact_run();
    const Task& task = session_.clone->task;
    const std::uint64_t seed = task.noiseless ? run.seed : fresh_seed(run.candidate);
    TRY_ASSIGN(const WorkerResult again, rerun(tools_.worker, tools_.observer, tools_.clock, session_, run, seed,
                                               job_limit_s(one.jobs, one.jobs.seed, one.tries)));
    if (again.outcome.how != Outcome::How::done || !again.outcome.done) {
        add_reason(verdict, "its rerun failed, and waits to be tried again: " + again.outcome.message);
        verdict.plan->rerun_waits = true;  // beside the tier rerun: it was tried
        return false;
    }
    const double seconds = again.outcome.wall_s - again.outcome.evaluate_s;
    verdict.reruns.push_back({seed, loss_of(task, *again.outcome.done), std::max(0.0, seconds)});
    return true;
}

}  // namespace cultivar
