// A factor as a person states it in a [[factor]]: the figure by which energy becomes
// carbon, water or money, with its source. Factors are no part of a task: they are applied when records are read.
//
//   quantity = "carbon"       or price, water_on_site, water_off_site, pue, network, embodied
//   grid = "average"          of carbon: average, or marginal
//   zone = "GB"               left out: every zone without one of its own
//   value = 211               g/kWh, currency/kWh, L/kWh, L/kWh, a ratio, kWh/GB, kg of a machine
//   low = 180, high = 250     left out: the value itself
//   unit = "g/kWh"            of carbon ("lbs/MWh", "kg/MWh", ...) and, always, of price ("EUR/kWh")
//   life_years = 4            of embodied
//   source = "...", year = 2023
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pool/util/toml_table.h"

namespace cultivar {

struct StatedFactor {
    std::string quantity{}, grid{}, zone{}, unit{}, source{};
    std::optional<double> value{}, low{}, high{};
    double life_years = 0;
    int year = 0;
};

inline constexpr int kMostStatedFactors = 200;

// The factor with the keys "<at>quantity" and so on; the caller knows that the first is there. Errors: usage.
Result<StatedFactor> read_stated_factor(TomlTable& table, const std::string& at);

}  // namespace cultivar
