#include "energy/factors/built_in.h"

#include <array>
#include <cmath>

namespace cultivar {
namespace {

constexpr int kYear = 2023;
constexpr const char* kCarbonSource = "Ember and Energy Institute, by Our World in Data, CC BY 4.0";
constexpr const char* kWaterSource = "Ember's mix x Macknick 2012, Meldrum 2013, Lampert 2016 (hydro)";

enum Plant { coal, gas, nuclear, hydro, solar, wind, biomass, geothermal, oil, plants };

// Electricity made in a year.
struct Country {
    const char* zone;
    double carbon_g_per_kwh;
    std::array<double, plants> made_twh;
};

constexpr std::array<Country, 18> kCountries = {{
    {"AU", 549, {127.5, 42.8, 0, 15.8, 46.9, 33.1, 3.4, 0, 5.4}},
    {"BR", 98, {17.2, 38.2, 14.5, 431.3, 51.7, 95.7, 53.7, 0, 10.9}},
    {"CA", 170, {32.3, 91.2, 88.9, 365.4, 7.5, 38.1, 8.9, 0, 2.6}},
    {"CH", 35, {0, 0.5, 24.2, 38.5, 4.2, 0.2, 1, 1.1, 1.2}},
    {"CN", 582, {5741.5, 307.6, 434.7, 1245.2, 584.1, 885.9, 187.1, 0, 73.5}},
    {"DE", 381, {135.3, 76, 8.8, 19.5, 61.6, 137.3, 46, 0.2, 20.1}},
    {"DK", 152, {2.7, 0.8, 0, 0, 3.1, 19.4, 6.9, 0, 0.7}},
    {"ES", 174, {3.9, 63.2, 56.8, 20, 45.1, 64.1, 5.9, 0, 10.7}},
    {"FR", 56, {2.2, 31.4, 335.6, 53.2, 23.3, 48.6, 9.5, 0.6, 9.7}},
    {"GB", 238, {4.1, 100.5, 41.3, 5.2, 13.5, 82.5, 33.9, 0, 12.6}},
    {"IN", 713, {1480.5, 51.3, 48.2, 149.2, 113.4, 82.1, 39.3, 0, 4}},
    {"IT", 331, {13.9, 118.3, 0, 37.9, 31, 23.5, 16.6, 5.7, 15.5}},
    {"JP", 485, {327.4, 332.9, 77.4, 73.8, 109.4, 9.1, 49.2, 0, 34.2}},
    {"NL", 268, {8.4, 46.1, 4, 0.1, 21.1, 29, 8.2, 0, 5.2}},
    {"NO", 30, {0, 1.4, 0, 136, 0.2, 15, 0.2, 0, 0.8}},
    {"PL", 662, {103, 14.8, 0, 2.4, 12.2, 23.1, 8.1, 0, 5.2}},
    {"SE", 41, {0, 0.1, 48.4, 66.1, 2.5, 34.7, 11.8, 0, 2.8}},
    {"US", 369, {675.3, 1802.1, 775.4, 234, 238.1, 425.2, 47.5, 18.6, 33}},
}};

// Water that a plant evaporates, in US gallons per MWh. Value: Macknick 2012. The lower and the higher of that and of Meldrum
// 2013 are the bounds; hydropower's are nothing (run of the river) and the mean of the United States with reservoirs (Lampert
// 2016). Oil burns in steam plants as coal does.
constexpr std::array<Range, plants> kGallonsPerMwh = {{
    {476, 476, 550},
    {287, 210, 287},
    {517, 517, 775},
    {4491, 0, 9850},
    {1, 1, 85},
    {0, 0, 11},
    {303, 303, 303},
    {251, 251, 290},
    {476, 476, 550},
}};
constexpr double kLitresPerGallon = 3.785411784;

// A grid's carbon varies about threefold within a day (mlco2/codecarbon#1354), so a yearly mean may be off by the root of 3
// either way in a given hour.
Factor carbon_of(const Country& country) {
    const double g_per_kwh = country.carbon_g_per_kwh, root = std::sqrt(3.0);
    return {.kind = FactorKind::carbon_average,
            .zone = country.zone,
            .unit = "g/kWh",
            .range = {g_per_kwh, g_per_kwh / root, g_per_kwh * root},
            .source = kCarbonSource,
            .year = kYear,
            .stated_in = "built in"};
}

Factor water_of(const Country& country) {
    Range gallons;
    double made_twh = 0;
    for (int plant = 0; plant < plants; ++plant) {
        gallons += kGallonsPerMwh[plant] * country.made_twh[plant];
        made_twh += country.made_twh[plant];
    }
    return {.kind = FactorKind::water_off_site,
            .zone = country.zone,
            .unit = "L/kWh",
            .range = gallons * (kLitresPerGallon / 1000 / made_twh),
            .source = kWaterSource,
            .year = kYear,
            .stated_in = "built in"};
}

Factor everywhere(FactorKind kind, const char* unit, const Range& range, const char* source, int year) {
    return {.kind = kind, .unit = unit, .range = range, .source = source, .year = year, .stated_in = "built in"};
}

}  // namespace

std::vector<Factor> built_in_factors() {
    std::vector<Factor> factors;
    for (const Country& one : kCountries) {
        factors.push_back(carbon_of(one));
        factors.push_back(water_of(one));
    }
    factors.push_back(everywhere(FactorKind::carbon_average, "g/kWh", {445, 445 / std::sqrt(3.0), 445 * std::sqrt(3.0)},
                                 "world mean, IEA 2024, by Green Metrics Tool and carbontracker", 2024));
    // No machine at home or on a desk has a cooling plant.
    factors.push_back(everywhere(FactorKind::pue, "", Range::exactly(1), "a machine at home or on a desk", kYear));
    factors.push_back(
        everywhere(FactorKind::water_on_site, "L/kWh", Range::exactly(0), "a machine at home or on a desk", kYear));
    factors.push_back(everywhere(FactorKind::network, "kWh/GB", {0.0376, 0.001875, 0.1},
                                 "Coroama 2025, between Aslan (low) and Cloud Carbon Footprint (high)", 2025));
    return factors;
}

}  // namespace cultivar
