// What there is to judge, the most valuable first, each with how far it is to be judged and why (eval/judge/audit_policy.h): claims
// without a verdict, and accepted ones that have come to matter more than they were looked at. Nobody's own.
#pragma once

#include "cli/session/session.h"
#include "eval/judge/audit_cost.h"
#include "eval/judge/audit_policy.h"

namespace cultivar {

struct QueuedClaim {
    ClaimRow row;
    std::vector<RunRow> runs;  // those that the claim names and the journal has
    ClaimImpact stake;
    TrackRecord credit;
    AuditPlan scope;
    double claim_s = 0;     // what those runs took
    double expected_s = 0;  // what that will take here, a rerun not counted
    double rerun_s = 0;     // of all its fresh seeds

    double all_s() const;
    const Run* artifact_run() const;
};

struct ClaimQueue {
    std::vector<QueuedClaim> cases;
    int own = 0;            // claims of this clone's, left to another verifier
    bool hold_out = false;  // is there one to score on?
};

// Every claim that waits. Errors: those of the index.
Result<ClaimQueue> waiting_claims(Session& session);
// The claims of these candidates (prefixes of ids), judged before or not. Errors: not_found, usage.
Result<ClaimQueue> claims_named(Session& session, const std::vector<std::string>& prefixes);

// A verdict was given: what it tells of the claims that still wait.
void apply_verdict(const Session& session, const QueuedClaim& judged, const Verdict& verdict, ClaimQueue& rest);

// Fresh seeds that its rerun takes: of what would be a record as many as are wanting, counting those of the verdict that
// is replaced; else one.
int seeds_due(const Task& task, const QueuedClaim& one);

// Is this machine of the claim's category, so that a fresh seed here compares with it?
bool can_rerun(const Session& session, const QueuedClaim& one);

VerificationBudget allowance(const Task& task, const Totals& totals);

}  // namespace cultivar
