// A factor: the figure by which energy, machine time or traffic becomes carbon, water or money, with its provenance.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "energy/factors/range.h"
#include "energy/series/series.h"

namespace cultivar {

enum class FactorKind {
    carbon_average,   // g/kWh
    carbon_marginal,  // g/kWh
    price,            // a currency per kWh
    water_on_site,    // L/kWh
    water_off_site,   // L/kWh
    pue,              // a ratio
    network,          // kWh/GB
    embodied,         // kg of a machine
};
inline constexpr int kFactorKinds = 8;

const char* name(FactorKind kind);  // "carbon, average"

struct Factor {
    FactorKind kind = FactorKind::carbon_average;
    std::string zone{};                      // "": every zone without one of its own
    std::string unit{};                      // "g/kWh"
    Range range{};                           // of a series: its mean, lowest and highest
    std::shared_ptr<const Series> series{};  // none: a constant
    double life_years = 0;                   // of embodied
    std::string source{};                    // never empty
    int year = 0;                            // 0: the series tells times
    std::string stated_in{};                 // the file, "pool.toml" or "built in"
};

// The factor at a moment.
struct FactorValue {
    Range range;
    bool is_gap = false;  // the series has a gap here: its own range stands in
};

// None: the moment lies outside the series.
std::optional<FactorValue> value_at(const Factor& factor, std::int64_t unix_s);

}  // namespace cultivar
