// Parts that several tests of energy share.
#pragma once

#include "energy/factors/factors.h"

namespace cultivar {

inline constexpr std::int64_t kNewYear_s = 1'767'225'600;  // 2026-01-01T00:00:00Z

inline Factor constant(FactorKind kind, Range range, std::string unit = "", std::string zone = "") {
    return {.kind = kind,
            .zone = std::move(zone),
            .unit = std::move(unit),
            .range = range,
            .source = "a book",
            .stated_in = "test"};
}

inline Factor series_of(FactorKind kind, std::vector<Quarter> quarters, std::string unit, std::string zone = "") {
    Factor factor = constant(kind, {}, std::move(unit), std::move(zone));
    Series series;
    double sum = 0;
    factor.range = {0, quarters.front().value, quarters.front().value};
    for (const Quarter& one : quarters) {
        sum += one.value;
        factor.range.low = std::min(factor.range.low, one.value);
        factor.range.high = std::max(factor.range.high, one.value);
    }
    factor.range.value = sum / static_cast<double>(quarters.size());
    series.quarters = std::move(quarters);
    factor.series = std::make_shared<const Series>(std::move(series));
    return factor;
}

}  // namespace cultivar
