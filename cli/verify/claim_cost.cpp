#include "cli/verify/claim_cost.h"

#include <algorithm>

#include "cli/verify/claim_queue.h"
#include "eval/judge/audit_cost.h"

namespace cultivar {
namespace {

constexpr int kMostVerdicts = 500;         // newest ones of this clone that are looked at
constexpr double kUpper = 0.75;            // of the costs that were measured: models of a category differ in size
constexpr double kLongestTraining = 1.25;  // budgets; intake refuses more

double upper(std::vector<double> costs) {
    const auto at = static_cast<std::ptrdiff_t>(kUpper * static_cast<double>(costs.size() - 1));
    std::nth_element(costs.begin(), costs.begin() + at, costs.end());
    return costs[static_cast<std::size_t>(at)];
}

}  // namespace

Result<CostBook> CostBook::of(Session& session) {
    CostBook book;
    TRY_ASSIGN(const std::vector<OwnVerdict> verdicts, session.index->own_verdicts(kMostVerdicts));
    for (const auto& [category, verdict] : verdicts) {
        Measured& measured = book.by_category_[category];
        for (const Check& check : verdict.checks) {
            if (!check.seconds || check.count < 1) continue;
            const double each_s = std::max(0.0, *check.seconds - kStart_s) / static_cast<double>(check.count);
            if (check.name == "slice") measured.chunk_s.push_back(each_s);
            if (check.name == "replay") measured.step_s.push_back(each_s);
        }
    }
    return book;
}

double CostBook::chunk_s(const Task& task, const QueuedClaim& one, double targets) const {
    const double longer = targets / static_cast<double>(task.data->slice_score.targets);
    const auto found = by_category_.find(one.row.claim.category);
    if (found != by_category_.end() && !found->second.chunk_s.empty()) return longer * upper(found->second.chunk_s);
    const double least_s = kCheapShare * one.budget_s() / kScoreChunks, most_s = one.budget_s() / kUsualChunks;
    return longer * std::clamp(chunk_seconds(*one.artifact_run(), targets) / longer, least_s, most_s);
}

// The run that a replay is made of, or all of them.
double CostBook::replays_s(const QueuedClaim& one) const {
    const auto found = by_category_.find(one.row.claim.category);
    const bool measured = found != by_category_.end() && !found->second.step_s.empty();
    double all_s = 0, most_s = 0;
    for (const RunRow& row : one.runs) {
        const double step_s = measured ? upper(found->second.step_s) * replay_steps(row.run) : 0;
        const double run_s = kStart_s + (measured ? step_s : kReplayShare * row.run.budget_s);
        all_s += run_s;
        most_s = std::max(most_s, run_s);
    }
    return one.plan.audit.extent == AuditExtent::sample ? most_s : all_s;
}

void CostBook::estimate(const Task& task, bool hold_out, QueuedClaim& one) const {
    one.expected_s = one.rerun_s = 0;
    const Run* run = one.artifact_run();
    if (!one.unsound.empty() || run == nullptr || !task.data) return;
    const auto targets = static_cast<double>(task.data->slice_score.targets);
    const ScoredParts parts = hold_out ? ScoredParts::slice_and_hold_out : ScoredParts::slice;
    const AuditCost effort = rescore_effort(*run, one.claim_s, targets, parts, one.plan.audit.extent);
    one.expected_s =
        (hold_out ? 2 : 1) * kStart_s + chunk_s(task, one, targets) * (effort.slice_chunks + effort.hold_out_chunks);
    if (one.impact.best)
        one.expected_s +=
            kStart_s + kScoreChunks * chunk_s(task, one, static_cast<double>(task.data->full_score.targets));
    if (one.plan.audit.tier >= Tier::replay) one.expected_s += replays_s(one);
    one.rerun_s = seeds_due(task, one) * (kStart_s + kLongestTraining * one.budget_s());
}

}  // namespace cultivar
