// The claims that a verifier is to judge, in their order (cli/verify/claim_order.h), each with the plan of its audit
// (eval/judge/audit_policy.h): claims without a verdict; those that decided nothing, after a while; and accepted ones that
// owe a rerun or matter more today than when they were audited. Claims of the verifier's own key are left out, and those
// that only repeat an earlier claim of their key. A claim that this clone could not decide waits for a
// time that doubles with each of them, and so does one with a rerun that failed.
//
// The structure tier comes before the order: it takes no worker and nothing of the share.
#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <map>

#include "cli/session/session.h"
#include "cli/verify/claim_cost.h"
#include "eval/judge/audit_cost.h"
#include "eval/judge/audit_policy.h"
#include "eval/judge/track_record.h"

namespace cultivar {

struct QueuedClaim {
    ClaimRow row;
    std::vector<RunRow> runs;  // the claim's runs, as far as the journal has them
    ClaimImpact impact;
    TrackRecord track_record;
    AuditPlan plan;
    std::string unsound{};  // the reason why it fails the structure tier; "": it does not
    KeyStanding standing = KeyStanding::unknown;
    bool owed = false;      // it is here for its rerun
    bool owes_gap = false;  // it was judged without a hold-out, and there is one here
    int fresh_seeds = 0;    // of verifiers, that the ledgers have of its candidate
    int least_seeds = 0;    // that a rerun makes in any case
    bool too_dear = false;  // passed over: its cost is beyond all that verification may take
    int tries = 0;          // by this clone, that failed
    JobSeconds jobs{};      // of this machine (CostBook)
    double claim_s = 0;     // wall seconds of those runs
    double expected_s = 0;  // seconds that the audit will take here, without a rerun (CostBook)
    double rerun_s = 0;     // seconds of all its fresh seeds
    double level_s = 0;     // seconds that its key will have had once it is judged (order_claims)

    double budget_s() const;  // the largest of its runs
    double all_s() const;
    double cost_s() const { return owed ? all_s() : expected_s; }
    const Run* artifact_run() const;
};

// The verifiers' dealings with a key.
struct KeyAccount {
    std::vector<JudgedWork> work{};  // oldest verdict first
    double spent_s = 0;              // on its claims
};

struct ClaimQueue {
    std::vector<QueuedClaim> claims;
    // Accepted for good, but their candidates came to lead or to be much used since: a rerun is due, or a replay.
    std::vector<ClaimRow> grown{};
    int own = 0;            // claims of this clone's, left to another verifier
    int repeats = 0;        // claims of runs that were claimed before
    bool hold_out = false;  // is there one to score on?
    std::map<std::string, KeyAccount> accounts{};
    double unproven_s = 0;   // spent on keys that are not in good standing
    std::int64_t now_s = 0;  // the time of the newest verdict: track records decay by it
    CostBook costs{};
};

// Every claim that waits at this unix time, of each key those that come first in its turn, kMostConsidered of each kind.
// Errors: those of the index; interrupted, once `stop` says so.
inline constexpr int kMostConsidered = 100;
using ShouldStop = std::function<bool()>;
Result<ClaimQueue> waiting_claims(Session& session, std::int64_t now_s = std::time(nullptr),
                                  const ShouldStop& stop = {});
// The claims of these candidates (prefixes of ids), judged before or not. Errors: not_found, usage, interrupted.
Result<ClaimQueue> claims_named(Session& session, const std::vector<std::string>& prefixes,
                                const ShouldStop& stop = {});

// Sets a claim's standing, plan and costs by its impact and its key's account. The lot is drawn in secret.
void settle_plan(const Task& task, const ClaimQueue& queue, QueuedClaim& one);

// Updates the claims that still wait after a verdict: their impact, their keys' track records, plans and order.
void apply_verdict(const Task& task, const QueuedClaim& judged, const Verdict& verdict, ClaimQueue& rest);

// The fresh seeds that its rerun still takes: as many as a record needs for the best of its category, else one, less those
// that the ledgers have of its candidate. With none due, the claim is held against those that are there.
int seeds_due(const Task& task, const QueuedClaim& one);

// Is this machine of the claim's category, so that a fresh seed here compares with it?
bool can_rerun(const Session& session, const QueuedClaim& one);

VerificationBudget allowance(const Task& task, const Totals& totals);

}  // namespace cultivar
