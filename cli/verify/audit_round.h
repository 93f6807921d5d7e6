// One round of a verifier over the claim queue, in its order (cli/verify/claim_order.h), as far as the pool's share of
// verification allows. A claim that must wait is not overtaken by claims of keys in the same standing: smaller ones would
// eat the time that it waits for. A claim that could never fit is passed over.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "cli/verify/turns.h"
#include "cli/verify/verifier.h"

namespace cultivar {

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
