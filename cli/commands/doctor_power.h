// The part of doctor that looks at the machine's power.
#pragma once

#include "cli/app/context.h"

namespace cultivar {

// Errors: usage (a setting).
Result<int> doctor_power(Context& context);

}  // namespace cultivar
