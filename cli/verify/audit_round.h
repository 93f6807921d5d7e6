// One round of a verifier over the claim queue, in its order (cli/verify/claim_order.h), as far as the pool's share of
// verification allows. A claim that must wait is not overtaken by claims of keys in the same standing: smaller ones would
// eat the time that it waits for. A claim that could never fit is passed over.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "cli/verify/verifier.h"

namespace cultivar {

// How a round treats the share (VerificationBudget).
enum class ShareUse {
    keep,           // the first claim that does not fit waits, and all of its class after it
    claims_beyond,  // every claim is judged; a rerun that does not fit is put off
    all_beyond,     // reruns too
};

struct RoundOptions {
    ShareUse share_use = ShareUse::keep;
    std::optional<Tier> tier{};  // the last tier of every claim, in place of the one that its plan names
    bool dry_run = false;        // judges, measures and writes nothing
};

// Called as the round goes on. Either may be empty.
struct RoundListener {
    std::function<void(const QueuedClaim&)> begins{};
    std::function<void(const Verdict&)> judged{};  // after the verdict was written
};

struct AuditRound {
    std::vector<Verdict> verdicts{};       // written to the ledger, which is signed
    std::vector<QueuedClaim> judgeable{};  // of a dry run: the claims that would be judged
    std::vector<QueuedClaim> waiting{};    // the claims that are left for a later round
    double spent_s = 0;                    // by the verdicts; of a dry run, the expected seconds
};

// Errors: those of Verifier::make, judge and write. Verdicts given before an error stay written.
Result<AuditRound> audit_round(const VerifierTools& tools, Session& session, ClaimQueue queue,
                               const VerificationBudget& share, const RoundOptions& options,
                               const RoundListener& listener);

}  // namespace cultivar
