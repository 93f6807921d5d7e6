// One accounting of a cost model: ratio, interval and finding. Private to this folder.
#pragma once

#include "energy/compare/comparison.h"

namespace cultivar {

// `moved`: the multipliers at which it is judged. `pairs`: of each pair of repeats, their numbers; empty: none are pairs.
using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;
// Of both arms, each repeat beside its partner; without pairs as they are.
std::array<std::vector<double>, 2> in_pairs(const std::vector<double> (&figures)[2], const Pairs& pairs);

Judged judge(const CostModel& model, const Accounting& accounting, const CostModel::Moved& moved, const Pairs& pairs);

// Changes of the figures that change the finding.
std::vector<Flip> flips_of(const CostModel& model, const Judged& judged, const Pairs& pairs);

}  // namespace cultivar
