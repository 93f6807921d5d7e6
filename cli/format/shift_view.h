// A report on shifted runs as text and as JSON.
#pragma once

#include <string>
#include <vector>

#include "cli/app/json.h"
#include "cli/energy/shift_report.h"

namespace cultivar {

// Sentences, each for a line of its own. Without a run: none.
std::vector<std::string> shift_lines(const ShiftReport& report);
// "runs", "mean_delay_s", "joules", "carbon_saved_g" by "average" and "marginal", "money_saved" by currency; a figure is
// {"value","low","high","covered_joules"}, or null where no series covers both times.
Json shift_json(const ShiftReport& report);

}  // namespace cultivar
