// The ratio of two arms' costs over their repeats, its interval, and the repeats that it would take to tell more.
//
// The ratio is that of geometric means. Its interval covers both the one of Student's t on logarithms (of the differences where
// repeats are pairs, else Welch's) and the percentiles of 2,000 bootstrap samples, whose draws are the same each time: with few
// repeats the bootstrap alone is too narrow.
#pragma once

#include <optional>
#include <span>

namespace cultivar {

inline constexpr double kPower = 0.8;    // of the power calculation
inline constexpr int kMostMore = 1'000;  // repeats that anybody could be asked for

// Logarithms, so that 0 means "equal".
struct LogRatio {
    double mean = 0;
    double low = 0, high = 0;                      // 95 %
    double bootstrap_low = 0, bootstrap_high = 0;  // of the bootstrap alone
    double t_low = 0, t_high = 0;                  // of Student's t alone
    double deviation = 0;  // of one repeat: the standard error is deviation / sqrt(repeats of each arm)
    int repeats = 0;       // of each arm, or pairs; of unequal arms the fewer
    bool is_paired = false;
};

// None: an arm has fewer than two repeats, a cost is not above 0, or pairs do not match in number.
std::optional<LogRatio> log_ratio(std::span<const double> first, std::span<const double> second, bool is_paired);

// The same of a plain difference, such as of scores. `means` may be of any sign.
std::optional<LogRatio> difference(std::span<const double> first, std::span<const double> second, bool is_paired);

// How many more repeats of each arm tell an effect of this size from none with a power of 80 %, if it and the deviation are as
// seen: the least n with (t(0.975) + t(0.8)) x deviation / sqrt(n) <= effect, less those that are there, at least one. None:
// no number up to kMostMore would.
std::optional<int> more_repeats(const LogRatio& seen, double effect);

}  // namespace cultivar
