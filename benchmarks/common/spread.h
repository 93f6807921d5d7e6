// Estimates from repeated trials, with confidence intervals.
#pragma once

#include <cstdint>
#include <span>

namespace cultivar {

struct Estimate {
    double mean = 0, lo = 0, hi = 0;  // 95 %
};

// Estimates the share of yes among independent answers (Wilson 1927). With nothing asked it is 0, between 0 and 1.
Estimate share_of(std::int64_t yes, std::int64_t asked);

// Estimates the mean with its bootstrap interval (2,000 resamples, percentiles). Without values all are 0.
Estimate mean_of(std::span<const double> values, std::uint64_t seed = 1);

}  // namespace cultivar
