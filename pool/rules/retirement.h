// Whose word counts when somebody says that a candidate is not worth exploring from any more. Its runs stay, and teach
// the search as before; it has no children, no further runs and no claims, and `archive` folds it first.
//
// The newest word of each writer is heard, in this order; the first that says anything decides:
//   1. this clone's own, for this clone alone;
//   2. that of the pool's verifiers (allowed_signers on main), for everybody: the newest of them;
//   3. that of the people whose runs kept the candidate, for everybody, once all of them say it is retired.
// Nobody else's: otherwise whoever may push could retire the best of a pool.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pool/types/record.h"

namespace cultivar {

struct RetirementStatement {
    Retirement said;
    std::string key;  // fingerprint of the key that signed the journal
};

struct Retired {
    std::string writer, reason, at;  // of the word that decided
    bool everywhere = false;         // and not for this clone alone
};

struct RetirementAuthority {
    std::string own;                                                             // this clone's writer
    std::set<std::string> verifiers;                                             // fingerprints
    std::function<std::set<std::string>(const std::string& candidate)> keepers;  // writers with a kept run of it
};

// The retired candidates. `words` oldest first; of two at the same time the later in the list is the newer.
std::map<std::string, Retired> retired_by(const std::vector<RetirementStatement>& words,
                                          const RetirementAuthority& jury);

}  // namespace cultivar
