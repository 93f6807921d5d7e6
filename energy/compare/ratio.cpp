#include "energy/compare/ratio.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "eval/statistics/significance.h"
#include "pool/util/split_mix.h"

namespace cultivar {
namespace {

constexpr int kSamples = 2'000;
constexpr std::uint64_t kDraws = 0x5eed'0f'c0417a4eULL;
constexpr double kTail = (1 - kConfidence) / 2;

double mean_of_sample(std::span<const double> values, std::uint64_t& state) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += values[splitmix64(state) % values.size()];
    return sum / static_cast<double>(values.size());
}

// `second` is empty where the first are differences of pairs.
void bootstrap(LogRatio& ratio, std::span<const double> first, std::span<const double> second) {
    std::uint64_t state = kDraws;
    std::vector<double> means;
    means.reserve(kSamples);
    for (int i = 0; i < kSamples; ++i)
        means.push_back(mean_of_sample(first, state) - (second.empty() ? 0 : mean_of_sample(second, state)));
    std::ranges::sort(means);
    const auto at = static_cast<std::size_t>(kTail * kSamples);
    ratio.bootstrap_low = means[at], ratio.bootstrap_high = means[kSamples - 1 - at];
}

void finish(LogRatio& ratio, double error, double degrees_of_freedom) {
    const double half = error > 0 ? student_quantile(1 - kTail, degrees_of_freedom) * error : 0;
    ratio.t_low = ratio.mean - half, ratio.t_high = ratio.mean + half;
    ratio.low = std::min(ratio.t_low, ratio.bootstrap_low);
    ratio.high = std::max(ratio.t_high, ratio.bootstrap_high);
}

LogRatio of_pairs(std::span<const double> differences) {
    const Moments all = moments(differences);
    LogRatio ratio{.mean = all.mean, .deviation = all.deviation, .repeats = all.count, .is_paired = true};
    bootstrap(ratio, differences, {});
    finish(ratio, all.deviation / std::sqrt(all.count), all.count - 1);
    return ratio;
}

LogRatio of_groups(std::span<const double> first, std::span<const double> second) {
    const Moments one = moments(first), other = moments(second);
    const double one_error = one.deviation * one.deviation / one.count;
    const double other_error = other.deviation * other.deviation / other.count, error = one_error + other_error;
    const double degrees_of_freedom =
        error > 0
            ? error * error / (one_error * one_error / (one.count - 1) + other_error * other_error / (other.count - 1))
            : 1;
    LogRatio ratio{.mean = one.mean - other.mean,
                   .deviation = std::hypot(one.deviation, other.deviation),
                   .repeats = std::min(one.count, other.count)};
    bootstrap(ratio, first, second);
    finish(ratio, std::sqrt(error), degrees_of_freedom);
    return ratio;
}

}  // namespace

std::optional<LogRatio> difference(std::span<const double> first, std::span<const double> second, bool is_paired) {
    if (first.size() < 2 || second.size() < 2) return std::nullopt;
    if (!is_paired) return of_groups(first, second);
    if (first.size() != second.size()) return std::nullopt;
    std::vector<double> differences;
    for (std::size_t i = 0; i < first.size(); ++i) differences.push_back(first[i] - second[i]);
    return of_pairs(differences);
}

std::optional<LogRatio> log_ratio(std::span<const double> first, std::span<const double> second, bool is_paired) {
    std::vector<double> logs[2];
    for (const auto& [from, to] : {std::pair(first, &logs[0]), std::pair(second, &logs[1])}) {
        for (const double cost : from) {
            if (!(cost > 0)) return std::nullopt;
            to->push_back(std::log(cost));
        }
    }
    return difference(logs[0], logs[1], is_paired);
}

std::optional<int> more_repeats(const LogRatio& seen, double effect) {
    if (!(effect > 0)) return std::nullopt;
    for (int more = 1; more <= kMostMore; ++more) {
        const int n = seen.repeats + more, degrees_of_freedom = seen.is_paired ? n - 1 : 2 * (n - 1);
        const double quantiles =
            student_quantile(1 - kTail, degrees_of_freedom) + student_quantile(kPower, degrees_of_freedom);
        if (quantiles * seen.deviation / std::sqrt(n) <= effect) return more;
    }
    return std::nullopt;
}

}  // namespace cultivar
