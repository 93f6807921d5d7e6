// Writes this writer's claims on its candidates.
#pragma once

#include <string>
#include <vector>

#include "pool/index/index.h"

namespace cultivar {

// Appends claims to the journal: for each of these candidates (if there are none: this writer's kept candidates without
// a claim) one claim in each category in which this writer scored it and its artifacts are here. Makes their branches.
// Errors: not_found (a named candidate without a scored run of this writer), io, git.
// Without names, a candidate whose claim cannot be made keeps no other from its own; these come back with the reason.
Result<std::vector<Refusal>> make_claims(Clone& clone, Index& index, const std::vector<std::string>& ids);

}  // namespace cultivar
