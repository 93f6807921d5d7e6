#include "eval/judge/audit_cost.h"

#include <algorithm>

#include "eval/judge/structure_check.h"

namespace cultivar {
namespace {

constexpr double kMostBudgets = 4, kMostStart_s = 120;  // of a whole run with its start-up and its scoring

}  // namespace

double chunk_seconds(const Run& run, double targets) {
    if (run.tokens < 1) return 0;
    return targets / kScoreChunks / static_cast<double>(run.tokens) * run.train_s / kPassesPerStep;
}

AuditCost rescore_effort(const Run& run, double claim_s, double slice_targets, ScoredParts scored, AuditExtent extent) {
    const bool hold_out = scored == ScoredParts::slice_and_hold_out;
    const double chunk_s = chunk_seconds(run, slice_targets);
    const int parts = hold_out ? 2 : 1;
    const double left_s = kCheapShare * claim_s - parts * kStart_s;
    const double fit = chunk_s > 0 ? left_s / chunk_s / parts : kUsualChunks;
    const int usual = static_cast<int>(std::clamp<double>(fit, kFewestChunks, kUsualChunks));
    AuditCost effort;
    effort.slice_chunks = extent == AuditExtent::sample ? usual : kScoreChunks;
    effort.hold_out_chunks = hold_out ? usual : 0;
    effort.expected_s = parts * kStart_s + chunk_s * (effort.slice_chunks + effort.hold_out_chunks);
    return effort;
}

int replay_steps(const Run& run) {
    if (!is_replayable(run)) return 0;
    const auto traced = static_cast<int>(run.trace_loss.size());
    const double step_s = run.train_s / static_cast<double>(run.steps);
    const double fit =
        step_s > 0
            ? (kReplayShare * std::min(run.wall_s, kMostBudgets * run.budget_s + kMostStart_s) - kStart_s) / step_s
            : traced;
    return static_cast<int>(std::clamp<double>(fit, std::min(kFewestSteps, traced), traced));
}

}  // namespace cultivar
