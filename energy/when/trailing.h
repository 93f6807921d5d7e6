// Percentiles of a series over the 24 hours up to a moment, which need no forecast.
#pragma once

#include <cstdint>
#include <optional>

#include "energy/series/series.h"

namespace cultivar {

inline constexpr std::int64_t kTrailing_s = 86'400;

// Linear between the two nearest quarters of an hour by rank, the one of this moment included. None where the series has
// fewer than half of the quarters.
std::optional<double> trailing_percentile(const Series& series, std::int64_t unix_s, double percent);

}  // namespace cultivar
