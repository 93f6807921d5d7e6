// Claims: what this writer says of its candidates, once it says so.
#pragma once

#include <string>
#include <vector>

#include "pool/index/index.h"

namespace cultivar {

// Appends to the journal a claim for each of these candidates (this writer's kept ones that are not claimed yet, when
// there are none) in each category in which this writer scored it and artifacts are here; and makes their branches.
// Errors: not_found (a candidate that was named, without a scored run of this writer), io, git.
Result<void> make_claims(Clone& clone, Index& index, const std::vector<std::string>& ids);

}  // namespace cultivar
