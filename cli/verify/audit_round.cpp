#include "cli/verify/audit_round.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/runs/machine_category.h"

namespace cultivar {
namespace {

constexpr int kFewSlices = 1;

void plan_by_name(Tier tier, AuditPlan& plan) {
    plan.cut = tier < std::min(plan.audit.tier, Tier::replay);
    plan.audit.tier = tier;
    plan.audit.extent = std::min(plan.audit.extent, AuditExtent::whole);
    plan.why = fmt::format("{}: asked for by name", name(tier));
}

// Fits a claim's plan to the options and to the seconds that are left. False: the claim waits.
bool fit(const Session& session, const RoundOptions& options, double left_s, QueuedClaim& one) {
    if (options.tier) {
        plan_by_name(*options.tier, one.plan);
        return true;
    }
    if (options.share_use == ShareUse::keep && one.expected_s > left_s) return false;
    if (one.plan.audit.tier != Tier::rerun) return true;
    const bool affordable = options.share_use == ShareUse::all_beyond || one.all_s() <= left_s;
    if (affordable && can_rerun(session, one)) return true;
    one.plan.audit.tier = Tier::replay;
    one.plan.audit.rerun_waits = true;
    one.plan.why += ", its rerun waits";
    return true;
}

// The machine's category decides which reruns it may make. It is measured when that first matters.
Result<void> measure_for_reruns(const VerifierTools& tools, const Session& session, const RoundOptions& options,
                                const ClaimQueue& queue) {
    const auto due = [](const QueuedClaim& one) { return one.plan.audit.tier == Tier::rerun; };
    if (options.tier != Tier::rerun && std::none_of(queue.claims.begin(), queue.claims.end(), due)) return {};
    const auto measured = machine_category(tools.worker, tools.observer, session, session.clone->task.budget_s);
    if (measured) return {};
    if (measured.error().code == Code::interrupted) return fail(measured.error());
    tools.observer.warn(measured.error().message + "; reruns wait");
    return {};
}

Result<Verifier> prepare(const VerifierTools& tools, Session& session, const RoundOptions& options,
                         const ClaimQueue& queue) {
    TRY_ASSIGN(Verifier verifier, Verifier::make(tools, session));
    if (verifier.hold_out().exists() && verifier.hold_out().unused(tools.clock.unix_s()) < kFewSlices)
        tools.observer.warn("the hold-out is nearly used up: cultivar data import --hold-out FILE...");
    TRY(measure_for_reruns(tools, session, options, queue));
    return verifier;
}

QueuedClaim take_first(ClaimQueue& queue) {
    QueuedClaim first = std::move(queue.claims.front());
    queue.claims.erase(queue.claims.begin());
    return first;
}

}  // namespace

Result<AuditRound> audit_round(const VerifierTools& tools, Session& session, ClaimQueue queue,
                               const VerificationBudget& share, const RoundOptions& options,
                               const RoundListener& listener) {
    AuditRound round;
    std::optional<Verifier> verifier;
    if (!queue.claims.empty() && !options.dry_run) {
        TRY_ASSIGN(Verifier made, prepare(tools, session, options, queue));
        verifier.emplace(std::move(made));
    }
    while (!queue.claims.empty()) {
        QueuedClaim one = take_first(queue);
        if (!round.waiting.empty() || !fit(session, options, share.left_s() - round.spent_s, one)) {
            round.waiting.push_back(std::move(one));
            continue;
        }
        if (!verifier) {
            round.spent_s += one.all_s();
            round.judgeable.push_back(std::move(one));
            continue;
        }
        if (listener.begins) listener.begins(one);
        TRY_ASSIGN(Verdict verdict, verifier->judge(one));
        TRY(verifier->write({verdict}));
        apply_verdict(session, one, verdict, queue);
        round.spent_s += verdict.seconds;
        if (listener.judged) listener.judged(verdict);
        round.verdicts.push_back(std::move(verdict));
    }
    if (!verifier) return round;
    TRY_ASSIGN(std::vector<Verdict> reviewed, verifier->review());
    for (Verdict& verdict : reviewed) {
        if (listener.judged) listener.judged(verdict);
        round.verdicts.push_back(std::move(verdict));
    }
    return round;
}

}  // namespace cultivar
