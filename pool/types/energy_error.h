// The error of an energy as a whole.
#pragma once

#include "pool/types/energy.h"

namespace cultivar {

// Of the joules of a whole run or audit: that of its domains, weighed by their joules, else of its method.
double error_of(const Energy& energy);

}  // namespace cultivar
