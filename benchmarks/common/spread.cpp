#include "benchmarks/common/spread.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "bandit/space/random.h"

namespace cultivar {
namespace {

constexpr double kQuantile = 1.959963984540054;  // of the normal, for 95 %
constexpr std::size_t kResamples = 2000;

}  // namespace

Estimate share_of(std::int64_t yes, std::int64_t asked) {
    if (asked <= 0) return {0, 0, 1};
    const double n = static_cast<double>(asked), p = static_cast<double>(yes) / n, z2 = kQuantile * kQuantile;
    const double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    const double reach = kQuantile * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n);
    return {p, std::max(middle - reach, 0.0), std::min(middle + reach, 1.0)};
}

Estimate mean_of(std::span<const double> values, std::uint64_t seed) {
    if (values.empty()) return {};
    const double n = static_cast<double>(values.size());
    Random random(seed);
    std::vector<double> means(kResamples, 0.0);
    for (double& mean : means) {
        for (std::size_t i = 0; i < values.size(); ++i) mean += values[random.below(values.size())] / n;
    }
    std::ranges::sort(means);
    return {std::accumulate(values.begin(), values.end(), 0.0) / n, means[kResamples / 40],
            means[kResamples - 1 - kResamples / 40]};
}

}  // namespace cultivar
