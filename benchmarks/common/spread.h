// How far a figure of repeated trials can be trusted.
#pragma once

#include <cstdint>
#include <span>

namespace cultivar {

struct Estimate {
    double mean = 0, lo = 0, hi = 0;  // 95 %
};

// A share of yes among independent answers (Wilson 1927). Nothing asked: 0, between 0 and 1.
Estimate share_of(std::int64_t yes, std::int64_t asked);

// The mean with its bootstrap interval (2,000 resamples, percentiles). No values: all 0.
Estimate mean_of(std::span<const double> values, std::uint64_t seed = 1);

}  // namespace cultivar
