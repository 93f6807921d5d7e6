#include "energy/factors/factor.h"

namespace cultivar {

const char* name(FactorKind kind) {
    switch (kind) {
        case FactorKind::carbon_average:
            return "carbon, average";
        case FactorKind::carbon_marginal:
            return "carbon, marginal";
        case FactorKind::price:
            return "price";
        case FactorKind::water_on_site:
            return "water on site";
        case FactorKind::water_off_site:
            return "water off site";
        case FactorKind::pue:
            return "PUE";
        case FactorKind::network:
            return "network";
        case FactorKind::embodied:
            return "embodied";
    }
    return "";
}

std::optional<FactorValue> value_at(const Factor& factor, std::int64_t unix_s) {
    if (!factor.series) return FactorValue{factor.range};
    if (const auto value = factor.series->at(unix_s)) return FactorValue{Range::exactly(*value)};
    const auto& quarters = factor.series->quarters;
    const bool inside = unix_s >= quarters.front().start_s && unix_s < quarters.back().start_s + kQuarter_s;
    return inside ? std::optional(FactorValue{factor.range, true}) : std::nullopt;
}

}  // namespace cultivar
