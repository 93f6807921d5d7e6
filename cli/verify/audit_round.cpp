#include "cli/verify/audit_round.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/runs/machine_category.h"
#include "cli/verify/claim_order.h"

namespace cultivar {
namespace {

constexpr int kFewSlices = 1;

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
    if (session.clone->task.takes_hold_out() && !verifier.hold_out().serving(tools.clock.unix_s()))
        tools.observer.warn(
            "no hold-out serves here: a score that is good on the validation file alone is not found, and "
            "nothing is accepted for good: cultivar data import --hold-out FILE...");
    else if (verifier.hold_out().exists() && verifier.hold_out().unused(tools.clock.unix_s()) < kFewSlices)
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
    std::vector<ClaimRow> grown = std::move(queue.grown);
    if ((!queue.claims.empty() || !grown.empty()) && !options.dry_run) {
        TRY_ASSIGN(Verifier made, prepare(tools, session, options, queue));
        verifier.emplace(std::move(made));
    }
    const CanRerun here = [&](const QueuedClaim& one) { return can_rerun(session, one); };
    Turns turns(session.clone->task, here, options, {share, queue.unproven_s});
    while (!queue.claims.empty()) {
        QueuedClaim one = take_first(queue);
        if (!turns.fit(one)) {
            round.waiting.push_back(std::move(one));
            continue;
        }
        if (!verifier) {
            round.spent_s += one.all_s();
            turns.spend(one.all_s(), one.standing == KeyStanding::proven);
            round.judgeable.push_back(std::move(one));
            continue;
        }
        if (listener.begins) listener.begins(one);
        TRY_ASSIGN(Verdict verdict, verifier->judge(one));
        TRY(verifier->write({verdict}));
        apply_verdict(session.clone->task, one, verdict, queue);
        round.spent_s += verdict.seconds;
        turns.spend(verdict.seconds, standing_of(queue.accounts[one.row.key].work) == KeyStanding::proven);
        std::erase_if(grown, [&](const ClaimRow& row) { return row.id == one.row.id; });
        if (listener.judged) listener.judged(verdict);
        round.verdicts.push_back(std::move(verdict));
    }
    if (!verifier) return round;
    TRY_ASSIGN(std::vector<Verdict> later, verifier->restate(grown));
    TRY_ASSIGN(std::vector<Verdict> reviewed, verifier->review());
    later.insert(later.end(), std::make_move_iterator(reviewed.begin()), std::make_move_iterator(reviewed.end()));
    for (Verdict& verdict : later) {
        if (listener.judged) listener.judged(verdict);
        round.verdicts.push_back(std::move(verdict));
    }
    return round;
}

}  // namespace cultivar
