// Repairs an assignment after some genes were moved, so that it satisfies the space's constraints. One step can thus
// change a coherent pair (a width and the number of heads that divides it).
#pragma once

#include <set>
#include <string>

#include "pool/types/search_space.h"

namespace cultivar {

// For each violated constraint, moves the gene that is not in `moved` (the left one if both or neither are) to the
// nearest value that satisfies it. Returns true if every constraint holds afterwards; otherwise `genes` is of no use.
bool repair(const Space& space, Genes& genes, std::set<std::string> moved);

}  // namespace cultivar
