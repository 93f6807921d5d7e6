// When is a candidate the same as another in all but name? A find that is published could be claimed again with a number
// changed in its seventh digit: another id, the same training.
//
// Two candidates are the same in effect if they differ in numbers alone, each by at most kNoEffect of its gene's range (of
// its logarithm for a gene that is searched so). A learning rate searched over four decades may then differ by 1.9 %,
// which moves no score by as much as seeds do. Genes that do not apply to one of them count as different.
#pragma once

#include <string>

#include "pool/types/search_space.h"

namespace cultivar {

inline constexpr double kNoEffect = 0.002;

// The difference as "optim.lr 0.04 against 0.0400001", the largest first; "": they differ in effect, or not at all. Both
// are complete (Space::complete). One pass over the genes.
std::string no_effect(const Space& space, const Genes& one, const Genes& other);

}  // namespace cultivar
