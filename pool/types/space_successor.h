// May a pool's search space be replaced by another one? Every candidate of the old space must be one of the new space too,
// with the same file and the same meaning: else records and commits of the pool's history would be refused.
#pragma once

#include "pool/types/search_space.h"

namespace cultivar {

// Errors: corrupt, with the first change that would lose a candidate: a gene that is lost or has another type, default,
// `since` or condition, a value that is no longer allowed, a constraint among old genes that is new, lost or changed.
Result<void> may_follow(const Space& now, const Space& next);

}  // namespace cultivar
