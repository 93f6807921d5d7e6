// Factors that cultivar brings along, for users who state none: carbon and water by country, the network, and a machine at home.
#pragma once

#include <vector>

#include "energy/factors/factor.h"

namespace cultivar {

// Each has a source, a year and a range. There is none for marginal carbon, for prices or for the making of a machine.
std::vector<Factor> built_in_factors();

}  // namespace cultivar
