#include "eval/judge/audit_policy.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace cultivar {
namespace {

std::string in_a_row(int count) { return fmt::format("{} valid claim{} in a row", count, count == 1 ? "" : "s"); }

std::optional<std::string> why_in_full(const ClaimImpact& impact) {
    if (impact.odd) return "it is odd beside the rest of the pool";
    if (impact.best) return "it would be the best of its category";
    if (impact.children >= kMuchUsed) return fmt::format("{} candidates come from it", impact.children);
    return std::nullopt;
}

}  // namespace

double replay_chance(const TrackRecord& track_record) {
    if (!track_record.known_key || track_record.valid_in_a_row < kProbation) return 1;
    return std::max(static_cast<double>(kProbation) / track_record.valid_in_a_row, kLeastReplays);
}

AuditPlan plan_for(const ClaimImpact& impact, const TrackRecord& track_record, double lot) {
    constexpr PlannedAudit kInFull{Tier::rerun, AuditExtent::in_full};
    constexpr PlannedAudit kReplay{Tier::replay, AuditExtent::sample};
    if (auto why = why_in_full(impact)) return {kInFull, "in full: " + *why};
    const double chance = replay_chance(track_record);
    if (lot < kFullByLot * chance) return {kInFull, "in full: drawn by lot"};
    if (!track_record.known_key) return {{Tier::replay, AuditExtent::whole}, "replayed: no key answers for it"};
    const std::string record = in_a_row(track_record.valid_in_a_row);
    if (chance >= 1) return {kReplay, fmt::format("replayed: its key has only {}", record)};
    const std::string odds = fmt::format("one in {:.1f}, its key has {}", 1 / chance, record);
    if (lot < chance) return {kReplay, "replayed: drawn by lot, " + odds};
    return {{Tier::rescore, AuditExtent::sample}, "scored again: the lot spared it a replay, " + odds};
}

AuditPlan plan_for_command(const AuditPlan& plan, bool evaluator) {
    if (plan.audit.tier == Tier::rerun) return plan;
    if (evaluator) return {{Tier::rescore, AuditExtent::sample}, "scored again by the pool's evaluator"};
    return {{Tier::rerun, AuditExtent::sample}, "rerun: its score is self-reported"};
}

bool due_again(int attempts, std::int64_t last_s, std::int64_t now_s) {
    if (attempts < 1 || now_s < last_s) return true;  // a clock that was ahead
    const double wait_s = kFirstWait_s * std::exp2(std::min(attempts - 1, 30));
    return static_cast<double>(now_s - last_s) >= std::min(wait_s, kLongestWait_s);
}

bool more_valuable(const ClaimImpact& a, const ClaimImpact& b) {
    if (a.best != b.best) return a.best;
    if (a.best && a.gain != b.gain) return a.gain > b.gain;
    if (a.children != b.children) return a.children > b.children;
    return a.odd && !b.odd;
}

}  // namespace cultivar
