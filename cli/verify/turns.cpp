#include "cli/verify/turns.h"

#include <algorithm>

#include <fmt/format.h>

namespace cultivar {
namespace {

void plan_by_name(Tier tier, AuditPlan& plan) {
    plan.cut = tier < std::min(plan.audit.tier, Tier::replay);
    plan.audit.tier = tier;
    plan.audit.extent = std::min(plan.audit.extent, AuditExtent::whole);
    plan.why = fmt::format("{}: asked for by name", name(tier));
}

}  // namespace

bool Turns::has_its_turn(QueuedClaim& one) {
    if (options_.share_use != ShareUse::keep) return true;
    if (waiting_.contains(one.standing)) return false;
    const AuditFunds::Fit fits = funds_.fit(one.standing, one.cost_s());
    one.too_dear = fits == AuditFunds::Fit::never;
    if (fits == AuditFunds::Fit::later) waiting_.insert(one.standing);
    return fits == AuditFunds::Fit::now;
}

bool Turns::fit(QueuedClaim& one) {
    if (options_.tier) {
        plan_by_name(*options_.tier, one.plan);
        one.least_seeds = 1;
        return true;
    }
    if (!one.unsound.empty()) return true;
    if (!has_its_turn(one)) return false;
    if (one.plan.audit.tier != Tier::rerun || seeds_due(task_, one) == 0) return true;
    const bool only_reruns = task_.self_reported();  // nothing less decides anything
    const bool affordable = options_.share_use == ShareUse::all_beyond ||
                            (only_reruns && options_.share_use == ShareUse::claims_beyond) ||
                            funds_.affords(one.standing, one.all_s());
    if (affordable && can_rerun_(one)) return true;
    if (only_reruns) return false;
    one.plan.audit.tier = task_.command ? Tier::rescore : Tier::replay;
    one.plan.audit.rerun_waits = true;
    one.plan.why += ", its rerun waits";
    return true;
}

}  // namespace cultivar
