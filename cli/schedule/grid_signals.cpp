#include "cli/schedule/grid_signals.h"

#include <fmt/format.h>

#include "energy/factors/factors.h"
#include "energy/when/trailing.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

std::optional<Series> merged(const std::vector<const Factor*>& factors) {
    if (factors.empty()) return std::nullopt;
    Series whole;
    whole.head = factors.front()->series->head;
    std::map<std::int64_t, double> quarters;
    for (const Factor* one : factors) {
        if (one->unit != factors.front()->unit) continue;
        for (const Quarter& quarter : one->series->quarters) quarters.try_emplace(quarter.start_s, quarter.value);
    }
    for (const auto& [start_s, value] : quarters) whole.quarters.push_back({start_s, value});
    return whole;
}

}  // namespace

void GridSignals::read() {
    series_.clear();
    trouble_.clear();
    auto stated = read_factor_file(factor_file_);
    if (!stated) return trouble_ = stated.error().message, void();
    const Factors factors(std::move(*stated));
    auto carbon = merged(factors.series(FactorKind::carbon_average, zone_));
    if (!carbon) carbon = merged(factors.series(FactorKind::carbon_marginal, zone_));
    if (carbon) series_[Signal::carbon] = std::move(*carbon);
    auto price = merged(factors.series(FactorKind::price, zone_));
    if (price) series_[Signal::price] = std::move(*price);
}

const Series* GridSignals::series(Signal signal) const {
    const auto found = series_.find(signal);
    return found == series_.end() ? nullptr : &found->second;
}

std::string GridSignals::without_series() const {
    if (!trouble_.empty()) return trouble_;
    return fmt::format("'{}' states no series of it for {}", factor_file_,
                       zone_.empty() ? "a machine without a zone" : "zone " + zone_);
}

Reading GridSignals::at(Signal signal, std::int64_t unix_s) const {
    const Series* const series = this->series(signal);
    if (!series) return {{}, "", without_series()};
    if (const auto value = series->at(unix_s)) return {value, series->head.unit, ""};
    const std::int64_t begins_s = series->quarters.front().start_s,
                       ends_s = series->quarters.back().start_s + kQuarter_s;
    if (unix_s >= ends_s) return {{}, "", fmt::format("its series ends at {}", utc_text(ends_s))};
    if (unix_s < begins_s) return {{}, "", fmt::format("its series begins at {}", utc_text(begins_s))};
    return {{}, "", "its series has a gap here"};
}

Reading GridSignals::percentile(Signal signal, double percent, std::int64_t unix_s) const {
    const Series* const series = this->series(signal);
    if (!series) return {{}, "", without_series()};
    if (const auto value = trailing_percentile(*series, unix_s, percent)) return {value, series->head.unit, ""};
    return {{}, "", "its series has less than half of the last 24 h"};
}

}  // namespace cultivar
