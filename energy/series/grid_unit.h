// Units of carbon and price per energy, as grid operators and markets write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "energy/series/series.h"

namespace cultivar {

struct GridUnit {
    Quantity quantity = Quantity::carbon;
    std::string unit;   // "g/kWh" or "EUR/kWh"
    double factor = 1;  // a figure in the unit that was read, times this, is in `unit`
};

// "g/kWh", "gCO2eq/kWh", "kg/MWh", "t/MWh", "lbs/MWh", "lbs_co2_per_mwh"; "EUR/MWh", "GBP/kWh", "ct/kWh" (of the euro),
// "p/kWh" (of the pound). None: another text.
std::optional<GridUnit> parse_grid_unit(std::string_view text);

}  // namespace cultivar
