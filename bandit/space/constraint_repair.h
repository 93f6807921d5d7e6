// Repair: brings an assignment back within the space's constraints after some genes were moved, so that one step can
// change a coherent pair (a width and the number of heads that divides it).
#pragma once

#include <set>
#include <string>

#include "pool/types/search_space.h"

namespace cultivar {

// Moves, for each violated constraint, the gene that is not in `moved` (the left one where both or neither are) to the
// nearest value that satisfies it. True if every constraint holds afterwards; otherwise `genes` is of no use.
bool repair(const Space& space, Genes& genes, std::set<std::string> moved);

}  // namespace cultivar
