// The cleanest or cheapest stretch of time within a forecast.
#pragma once

#include <cstdint>
#include <optional>

#include "energy/series/series.h"

namespace cultivar {

enum class WindowBasis {
    forecast,     // all of the time asked for is known
    shortened,    // it is known up to some moment only; the best window up to there
    too_short,    // so little is known that no window fits: at once
    no_forecast,  // nothing is known of the time from now on: at once
};

struct WindowChoice {
    WindowBasis basis = WindowBasis::no_forecast;
    std::int64_t start_s = 0, end_s = 0;      // unix time
    std::optional<double> mean{}, at_once{};  // of the window, and of one that begins now; none where a part is unknown
    std::int64_t known_until_s = 0;           // of the series
};

// The contiguous window of `length_s` with the least mean that begins now or at a quarter of an hour and ends `within_s` from
// now at the latest; of equals the first. A window with a gap is none. Without a series, or where none fits, it begins at once.
WindowChoice choose_window(const Series* series, std::int64_t now_s, std::int64_t length_s, std::int64_t within_s);

}  // namespace cultivar
