#include "energy/series/grid_unit.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace cultivar {
namespace {

struct Known {
    std::string_view text;
    std::string_view unit;
    double factor;
};

constexpr double kGramsPerPound = 453.59237;

constexpr std::array<Known, 15> kKnown = {{
    {"g/kwh", "g/kWh", 1},
    {"gco2/kwh", "g/kWh", 1},
    {"gco2e/kwh", "g/kWh", 1},
    {"gco2eq/kwh", "g/kWh", 1},
    {"kg/kwh", "g/kWh", 1000},
    {"kg/mwh", "g/kWh", 1},
    {"t/mwh", "g/kWh", 1000},
    {"lb/mwh", "g/kWh", kGramsPerPound / 1000},
    {"lbs/mwh", "g/kWh", kGramsPerPound / 1000},
    {"lbs_co2_per_mwh", "g/kWh", kGramsPerPound / 1000},
    {"lb_co2_per_mwh", "g/kWh", kGramsPerPound / 1000},
    {"ct/kwh", "EUR/kWh", 0.01},
    {"p/kwh", "GBP/kWh", 0.01},
    {"eur/mwh", "EUR/kWh", 0.001},
    {"eur/kwh", "EUR/kWh", 1},
}};

constexpr std::size_t kCurrency = 3;  // letters

}  // namespace

std::optional<GridUnit> parse_grid_unit(std::string_view text) {
    if (text.size() > 32) return std::nullopt;
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    for (const Known& one : kKnown) {
        if (lower != one.text) continue;
        const Quantity quantity = one.unit == "g/kWh" ? Quantity::carbon : Quantity::price;
        return GridUnit{quantity, std::string(one.unit), one.factor};
    }
    const std::string_view currency = text.substr(0, kCurrency), per = text.substr(std::min(kCurrency, text.size()));
    const bool is_currency = currency.size() == kCurrency &&
                             std::ranges::all_of(currency, [](unsigned char c) { return c >= 'A' && c <= 'Z'; });
    if (!is_currency || (per != "/kWh" && per != "/MWh")) return std::nullopt;
    return GridUnit{Quantity::price, std::string(currency) + "/kWh", per == "/kWh" ? 1.0 : 0.001};
}

}  // namespace cultivar
