// The units of signals, as people write them. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "energy/when/condition.h"

namespace cultivar {

// Takes the test's figure from this unit, "" if it was left out, to that of its signal. Gives the reason why that cannot be.
std::optional<std::string> apply_unit(WhenTest& test, std::string_view unit);
// "06:30" as minutes since midnight; none: the day has no such time.
std::optional<double> minutes_of(std::string_view time);
// A figure with its unit, for messages: "50 EUR/MWh".
const char* example_of(Signal signal);

}  // namespace cultivar
