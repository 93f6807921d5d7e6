#include "energy/when/trailing.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace cultivar {

std::optional<double> trailing_percentile(const Series& series, std::int64_t unix_s, double percent) {
    const auto first = std::ranges::upper_bound(series.quarters, unix_s - kTrailing_s, {}, &Quarter::start_s);
    const auto last = std::ranges::upper_bound(series.quarters, unix_s, {}, &Quarter::start_s);
    std::vector<double> values;
    for (auto quarter = first; quarter < last; ++quarter) values.push_back(quarter->value);
    if (static_cast<std::int64_t>(values.size()) * 2 < kTrailing_s / kQuarter_s) return std::nullopt;
    std::ranges::sort(values);
    const double rank = percent / 100 * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(rank);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (rank - std::floor(rank)) * (values[above] - values[below]);
}

}  // namespace cultivar
