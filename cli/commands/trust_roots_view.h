// A pool's trust roots and verifiers in words, and how they are changed (pool/clone/trust_roots.h).
#pragma once

#include <optional>

#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "pool/clone/trust_roots.h"

namespace cultivar {

// Each verifier's ledger as this clone holds it, with the age of its newest entry: one that stands still may be kept back.
struct LedgerState {
    std::string writer;
    std::size_t verdicts = 0;
    std::int64_t newest_s = 0;  // the time that the verifier signed
};
Result<std::vector<LedgerState>> ledger_states(const Clone& clone);

Json roots_json(const Roots& roots, const std::vector<LedgerState>& ledgers);
std::string roots_text(const Roots& roots, const std::vector<LedgerState>& ledgers, std::int64_t now_s);

// Proposes the next version: keys from a file of allowed_signers's form, the threshold as it was unless given.
Result<void> propose_roots(Context& context, Clone& clone, const std::string& file,
                           std::optional<std::int64_t> threshold);
// Signs the version that waits. `digest`: at least the first 8 digits of its digest, so that only a version that was
// looked at is signed.
Result<void> cosign_roots(Context& context, Clone& clone, const std::string& digest);

}  // namespace cultivar
