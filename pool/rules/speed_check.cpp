#include "pool/rules/speed_check.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr std::size_t kFewestOwn = 8, kFewestOthers = 3;
constexpr double kOwnFactor = 3, kOthersFactor = 4;
constexpr double kDeviations = 6, kToDeviation = 1.4826;

// The value below which the fraction `part` of them lies.
double quantile(std::vector<double> values, double part) {
    const auto at = std::lround(part * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<std::size_t>(at)];
}

std::vector<double> logarithms(const std::vector<double>& speeds) {
    std::vector<double> logs;
    for (double speed : speeds) {
        if (speed > 0) logs.push_back(std::log(speed));
    }
    return logs;
}

// The factor by which `speed` exceeds exp(reference), if it is beyond the margin; else 0.
double beyond(double speed, double reference, const std::vector<double>& logs, double least_factor) {
    const double centre = quantile(logs, 0.5);
    std::vector<double> deviations;
    for (double one : logs) deviations.push_back(std::abs(one - centre));
    const double margin = std::max(std::log(least_factor), kDeviations * kToDeviation * quantile(deviations, 0.5));
    const double over = std::log(speed) - reference;
    return over > margin ? std::exp(over) : 0;
}

}  // namespace

std::string too_fast(const SpeedComparison& runs) {
    if (!(runs.speed > 0)) return "";
    const std::vector<double> own = logarithms(runs.own);
    if (own.size() >= kFewestOwn) {
        if (const double times = beyond(runs.speed, quantile(own, 0.75), own, kOwnFactor); times > 0)
            return fmt::format("it trained {:.1f} times as fast as the same writer's {} other runs like it", times,
                               own.size());
    }
    std::vector<double> others;
    for (const std::vector<double>& writer : runs.others) {
        const std::vector<double> logs = logarithms(writer);
        if (!logs.empty()) others.push_back(quantile(logs, 0.75));
    }
    if (others.size() < kFewestOthers) return "";
    if (const double times = beyond(runs.speed, quantile(others, 0.5), others, kOthersFactor); times > 0)
        return fmt::format("it trained {:.1f} times as fast as {} other writers in its category", times, others.size());
    return "";
}

}  // namespace cultivar
