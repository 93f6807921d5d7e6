// The tiers that need the worker: rescore, replay and rerun.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "bandit/policy/keep_test.h"
#include "cli/runs/rerun_worker.h"
#include "cli/runs/score_artifact.h"
#include "cli/session/history_loader.h"
#include "cli/verify/verifier.h"
#include "eval/judge/rerun_test.h"
#include "eval/judge/rescore_test.h"
#include "eval/judge/structure_check.h"
#include "eval/statistics/significance.h"
#include "pool/types/category.h"
#include "train/protocol/replay_spec.h"

namespace cultivar {
namespace {

constexpr double kPatience = 10;  // times the expected seconds of a replay: another machine may be slower
constexpr double kLeastLimit_s = 120;
constexpr const char* kFolder = "verify";

void add_reason(Verdict& verdict, const std::string& reason) {
    verdict.reason += (verdict.reason.empty() ? "" : "; ") + reason;
}

// Judges the weights by the worker's answer. True: they were scored on all the chunks that were asked for.
Result<bool> scored_well(const Task& task, const Scored& scored, std::size_t chunks, Verdict& verdict) {
    const Outcome& outcome = scored.outcome;
    verdict.evaluator = scored.start.trainer;
    if (outcome.error && outcome.error->kind == "artifact") {
        conclude(verdict, VerdictResult::rejected, Tier::rescore, outcome.error->message);
        return false;
    }
    const UseCost cost = {scored.start.parameters, scored.start.flops_per_token, std::nullopt};
    if (auto over = over_cap(cost, task.caps)) {
        conclude(verdict, VerdictResult::rejected, Tier::structure, *over);
        return false;
    }
    if (!outcome.done) {
        conclude(verdict, VerdictResult::inconclusive, Tier::rescore, outcome.message);
        return false;
    }
    if (outcome.done->chunk_loss_sums.size() != chunks)
        return fail(Code::io, "the worker did not score the chunks it was asked for", "cultivar version");
    return true;
}

}  // namespace

Result<Candidate> Verifier::candidate_of(const QueuedClaim& one) const {
    const Clone& clone = *session_.clone;
    return parse_canonical(clone.task.space, clone.task_id, one.row.claim.toml);
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
    TRY_ASSIGN(Scored scored,
               score_artifact(tools_.worker, tools_.observer, session_, candidate.genes, weights, chunks, kFolder));
    TRY_ASSIGN(bool good, scored_well(clone.task, scored, chunks.size(), verdict));
    if (!good) return false;
    const RescoreJudgement judgement =
        judge_rescore(run.chunk_loss_sums, chunks, scored.outcome.done->chunk_loss_sums, slice.targets, slice.bytes);
    verdict.measured_bpb = judgement.measured_bpb;
    verdict.chunks = static_cast<int>(chunks.size());
    verdict.checks.push_back({"slice", judgement.claimed_bpb, judgement.measured_bpb, kRescoreTolerance_bpb,
                              verdict.chunks, judgement.low_bpb, judgement.high_bpb, tools_.clock.now_s() - begun_s});
    conclude(verdict, judgement.accepted ? VerdictResult::accepted : VerdictResult::rejected, Tier::rescore,
             judgement.reason);
    return judgement.accepted ? rescore_elsewhere(one, weights, verdict) : Tried(false);
}

// Scores it on the hold-out, and on the full set too if it would be the best of its category.
Verifier::Tried Verifier::rescore_elsewhere(const QueuedClaim& one, const std::string& weights, Verdict& verdict) {
    const Clone& clone = *session_.clone;
    const Data& data = *clone.task.data;
    auto hidden = hold_out_.serving(tools_.clock.unix_s());
    if (hidden) {
        const auto targets = static_cast<double>(data.slice_score.targets);
        const AuditCost effort = rescore_effort(*one.artifact_run(), one.claim_s, targets,
                                                ScoredParts::slice_and_hold_out, one.plan.audit.extent);
        hidden->order.resize(static_cast<std::size_t>(effort.hold_out_chunks));
        verdict.data.push_back({"hold-out", hidden->commitment});
        TRY_ASSIGN(bool good, rescore_part(one, weights, *hidden, "hold-out", verdict));
        if (!good) return false;
    }
    const std::string full = clone.data_dir() + data.full.name;
    if (!one.impact.best || !std::filesystem::exists(full)) return true;
    std::vector<int> all(kScoreChunks);
    for (int chunk = 0; chunk < kScoreChunks; ++chunk) all[static_cast<std::size_t>(chunk)] = chunk;
    verdict.data.push_back({"full", data.full.sha256});
    return rescore_part(one, weights, {kFullSet, full, data.full_score.targets, data.full_score.bytes, all, ""},
                        "full set", verdict);
}

Verifier::Tried Verifier::rescore_part(const QueuedClaim& one, const std::string& weights, const ServingSlice& part,
                                       const std::string& label, Verdict& verdict) {
    TRY_ASSIGN(Candidate candidate, candidate_of(one));
    const double begun_s = tools_.clock.now_s();
    TRY_ASSIGN(Scored scored, score_artifact(tools_.worker, tools_.observer, session_, candidate.genes, weights,
                                             part.order, kFolder, part.path));
    TRY_ASSIGN(bool good, scored_well(session_.clone->task, scored, part.order.size(), verdict));
    if (!good) return false;
    // The worker tells the sums of the chunks in ascending order; the book keeps them in the part's.
    Appearance here{part.name, one.row.id, one.row.claim.candidate, one.artifact_run()->val_bpb.value_or(0), {}};
    for (int chunk : part.order) {
        const auto place =
            std::count_if(part.order.begin(), part.order.end(), [&](int other) { return other < chunk; });
        here.sums.push_back(scored.outcome.done->chunk_loss_sums[static_cast<std::size_t>(place)]);
    }
    const GapJudgement judgement = hold_out_.judge(here, part.bytes);
    TRY(hold_out_.remember(here, tools_.clock.unix_s()));
    Check check{label + " gap", std::nullopt, judgement.gap_bpb, std::nullopt, static_cast<int>(part.order.size())};
    if (judgement.judged) {
        check.claimed = judgement.usual_bpb;
        check.tolerance = judgement.allowed_bpb;
    }
    check.seconds = tools_.clock.now_s() - begun_s;
    verdict.checks.push_back(check);
    if (part.name == kFullSet)
        verdict.checks.push_back({label, std::nullopt, here.slice_bpb + judgement.gap_bpb, std::nullopt, kScoreChunks});
    if (judgement.honest) {
        if (judgement.judged) add_reason(verdict, fmt::format("{}: {}", label, judgement.reason));
        return true;
    }
    conclude(verdict, VerdictResult::rejected, Tier::rescore, fmt::format("{}: {}", label, judgement.reason));
    return false;
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
        TRY_ASSIGN(bool good, replay_one(*row, verdict));
        if (!good) return false;
    }
    return true;
}

Verifier::Tried Verifier::replay_one(const RunRow& row, Verdict& verdict) {
    const int steps = replay_steps(row.run);
    if (steps == 0) {
        conclude(verdict, VerdictResult::inconclusive, Tier::rescore,
                 fmt::format("its run {} has no whole trace of its first steps to replay", short_id(row.id)));
        return false;
    }
    const double limit_s = std::max(kLeastLimit_s, kPatience * replay_seconds(row.run, steps));
    const double begun_s = tools_.clock.now_s();
    TRY_ASSIGN(const WorkerResult again,
               replay_run(tools_.worker, tools_.observer, session_, row.run, steps, limit_s, kFolder));
    if (again.outcome.how != Outcome::How::done || again.losses.size() != static_cast<std::size_t>(steps)) {
        conclude(verdict, VerdictResult::inconclusive, Tier::rescore,
                 fmt::format("its run {} cannot be replayed here: {}", short_id(row.id), again.outcome.message));
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
    return true;
}

// Scores of fresh seeds stay with the claim (pool/types/verdict.h), so that judging it again forgets none.
Verifier::Tried Verifier::train_again(const QueuedClaim& one, Verdict& verdict) {
    if (!can_rerun(session_, one)) {
        add_reason(verdict, "not rerun: this machine is of another category");
        return false;
    }
    TRY_ASSIGN(std::vector<Seed> seeds, read_seeds(*session_.clone));
    TRY_ASSIGN(const History history, read_history(session_, seeds, one.row.claim.category));
    const Noise noise = estimate_noise(history);
    const int looks = seeds_due(session_.clone->task, one);
    const double begun_s = tools_.clock.now_s();
    RerunJudgement judgement;
    for (int look = 0; look == 0 || (judgement.accepted && look < looks); ++look) {
        TRY_ASSIGN(const bool made, one_more_seed(one, verdict));
        if (!made) return false;
        judgement = judge_rerun(one.row.claim.val_bpb, static_cast<int>(one.runs.size()), fresh_scores(verdict),
                                noise.sigma, noise.degrees_of_freedom, looks);
    }
    const std::vector<double> fresh = fresh_scores(verdict);
    Check check{"rerun", one.row.claim.val_bpb, moments(fresh).mean, judgement.allowed_bpb,
                static_cast<std::int64_t>(fresh.size())};
    if (fresh.size() > 1) {
        TRY_ASSIGN(const Interval mean, mean_interval(fresh, kConfidence));
        check.low = mean.low, check.high = mean.high;
    }
    check.seconds = tools_.clock.now_s() - begun_s;
    verdict.checks.push_back(check);
    if (!judgement.accepted) {
        conclude(verdict, VerdictResult::rejected, Tier::rerun, judgement.reason);
        return false;
    }
    verdict.tier = Tier::rerun;
    add_reason(verdict, judgement.reason);
    return true;
}

Verifier::Tried Verifier::one_more_seed(const QueuedClaim& one, Verdict& verdict) {
    const Run& run = *one.artifact_run();
    const double limit_s = kLeastLimit_s + kPatience * run.wall_s;
    const std::uint64_t seed = fresh_seed(run.candidate);
    TRY_ASSIGN(const WorkerResult again, rerun(tools_.worker, tools_.observer, session_, run, seed, limit_s, kFolder));
    if (again.outcome.how != Outcome::How::done || !again.outcome.done) {
        add_reason(verdict, "its rerun came to nothing: " + again.outcome.message);
        return false;
    }
    verdict.reruns.push_back({seed, again.outcome.done->val_bpb});
    return true;
}

}  // namespace cultivar
