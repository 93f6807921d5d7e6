// The language of `explore --when`: a condition on the grid and the machine, as a tree.
//
//   EXPR  = ALL {"or" ALL}          ALL = NOT {"and" NOT}          NOT = "not" NOT | "(" EXPR ")" | TEST
//   TEST  = "ac" | "idle" | SIGNAL COMPARISON FIGURE | "time" ("in" HH:MM-HH:MM | COMPARISON HH:MM)
//   FIGURE = NUMBER [UNIT] | "p" NUMBER, a percentile of the last 24 hours, of carbon and price
//
// "carbon < p30 and (ac or battery > 80 %)", "time in 22:00-06:00", "idle >= 10 min". "idle" alone is BOINC's default: no input
// for 3 minutes, no more than 25 % of the processors used by others, and nobody else on the GPUs of the runs.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

enum class Signal {
    carbon,       // g/kWh
    price,        // a currency per kWh
    idle,         // seconds since somebody's last input
    battery,      // charge, %
    ac,           // 1 on mains, 0 on battery
    load,         // of others, % of all processors
    temperature,  // of the processors, degrees Celsius
    time,         // of day by this machine's zone, minutes since midnight
    gpu,          // programs of others on the GPUs that runs use
};

enum class WhenComparison { below, at_most, above, at_least, within, outside };

struct WhenTest {
    Signal signal = Signal::carbon;
    WhenComparison comparison = WhenComparison::below;
    double figure = 0;                   // in the signal's unit; of a range of time its start
    double end = 0;                      // of a range of time, itself outside; at or before the start: on the next day
    std::optional<double> percentile{};  // in place of the figure, above 0 and below 100
    std::string unit{};                  // of a price: "EUR/kWh"
};

// A tree without "not": it is moved into the tests.
struct WhenCondition {
    enum class Kind { test, all, any };
    Kind kind = Kind::test;
    WhenTest test{};                     // of a test
    std::vector<WhenCondition> parts{};  // of the others, two or more
};

inline constexpr std::size_t kMostConditionBytes = 1000, kMostConditionDepth = 20;

// Errors: usage, with the place, and the nearest word where one is nearly right.
Result<WhenCondition> parse_when(std::string_view text);

// The condition in full: parse_when() of it gives the same tree.
std::string to_text(const WhenCondition& condition);
bool rests_on(const WhenCondition& condition, Signal signal);
bool rests_on_grid(const WhenCondition& condition);  // on carbon or price

// For messages.
const char* name(Signal signal);
std::string to_text(const WhenTest& test);
std::string figure_text(Signal signal, double value, const std::string& unit);

}  // namespace cultivar
