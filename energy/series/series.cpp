#include "energy/series/series.h"

#include <algorithm>

namespace cultivar {

const char* name(Quantity quantity) { return quantity == Quantity::carbon ? "carbon" : "price"; }

const char* name(GridKind kind) {
    if (kind == GridKind::average) return "average";
    return kind == GridKind::marginal ? "marginal" : "unknown";
}

const char* name(Scope scope) {
    if (scope == Scope::direct) return "direct";
    return scope == Scope::lifecycle ? "lifecycle" : "unknown";
}

std::optional<GridKind> grid_kind(std::string_view name_of) {
    for (const GridKind one : {GridKind::average, GridKind::marginal}) {
        if (name_of == name(one)) return one;
    }
    return std::nullopt;
}

std::optional<Scope> scope_named(std::string_view name_of) {
    for (const Scope one : {Scope::direct, Scope::lifecycle}) {
        if (name_of == name(one)) return one;
    }
    return std::nullopt;
}

std::optional<double> Series::at(std::int64_t unix_s) const {
    const auto after = std::ranges::upper_bound(quarters, unix_s, {}, &Quarter::start_s);
    if (after == quarters.begin()) return std::nullopt;
    const Quarter& quarter = *std::prev(after);
    return unix_s < quarter.start_s + kQuarter_s ? std::optional(quarter.value) : std::nullopt;
}

}  // namespace cultivar
