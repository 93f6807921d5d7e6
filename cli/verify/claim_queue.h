// The claims that a verifier is to judge, the most valuable first, each with the plan of its audit
// (eval/judge/audit_policy.h): claims without a verdict, and accepted ones that matter more today than when they were
// audited. Claims of the verifier's own key are left out.
#pragma once

#include "cli/session/session.h"
#include "eval/judge/audit_cost.h"
#include "eval/judge/audit_policy.h"

namespace cultivar {

struct QueuedClaim {
    ClaimRow row;
    std::vector<RunRow> runs;  // the claim's runs, as far as the journal has them
    ClaimImpact impact;
    TrackRecord track_record;
    AuditPlan plan;
    double claim_s = 0;     // wall seconds of those runs
    double expected_s = 0;  // seconds that the audit will take here, without a rerun
    double rerun_s = 0;     // seconds of all its fresh seeds

    double all_s() const;
    const Run* artifact_run() const;
};

struct ClaimQueue {
    std::vector<QueuedClaim> claims;
    int own = 0;            // claims of this clone's, left to another verifier
    bool hold_out = false;  // is there one to score on?
};

// Every claim that waits. Errors: those of the index.
Result<ClaimQueue> waiting_claims(Session& session);
// The claims of these candidates (prefixes of ids), judged before or not. Errors: not_found, usage.
Result<ClaimQueue> claims_named(Session& session, const std::vector<std::string>& prefixes);

// Updates the claims that still wait after a verdict: their impact, their writers' track records, plans and order.
void apply_verdict(const Session& session, const QueuedClaim& judged, const Verdict& verdict, ClaimQueue& rest);

// The fresh seeds that its rerun takes. The best of its category takes as many as a record needs, less those of the
// verdict that is replaced, and one at least; any other claim takes one.
int seeds_due(const Task& task, const QueuedClaim& one);

// Is this machine of the claim's category, so that a fresh seed here compares with it?
bool can_rerun(const Session& session, const QueuedClaim& one);

VerificationBudget allowance(const Task& task, const Totals& totals);

}  // namespace cultivar
