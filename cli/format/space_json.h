// A search space as JSON, for programs.
#pragma once

#include <vector>

#include "cli/app/json.h"
#include "pool/types/search_space.h"

namespace cultivar {

// Constraints between genes that are all among these.
std::vector<Constraint> constraints_among(const Space& space, const std::vector<const Gene*>& genes);

// {"genes":[...],"constraints":[...]}, fields named as in pool.toml.
Json space_json(const Space& space, const std::vector<const Gene*>& genes);

}  // namespace cultivar
