// Sums that a reader can repeat by hand.
#include "energy/accounting/account.h"

#include "energy/series/read_series.h"
#include "tests/energy/support.h"

namespace cultivar {
namespace {

EnergyStretch use(std::int64_t start_s, double above_kwh, double gross_kwh, double error = 0) {
    EnergyStretch one{.zone = "GB", .start_s = start_s};
    one.joules[kAboveIdle] = Range::within(above_kwh * kJoulesPerKwh, error);
    one.joules[kGross] = Range::within(gross_kwh * kJoulesPerKwh, error);
    return one;
}

// A run over three slots: 0.1, 0.2 and 0.1 kWh above idle. The grid has 200, 300 and no g/kWh, and a constant of 250 marginal.
// Average: 0.1 x 200 + 0.2 x 300 = 80 g, and in the gap 0.1 x 250 (200 to 300) = 25 g (20 to 30): 105 g (100 to 110).
// Marginal: 0.4 x 250 = 100 g.
TEST(Account, ThreeSlotsAndTwoFactors) {
    const Factors factors({series_of(FactorKind::carbon_average,
                                     {{kNewYear_s, 200}, {kNewYear_s + 900, 300}, {kNewYear_s + 2700, 250}}, "g/kWh"),
                           constant(FactorKind::carbon_marginal, Range::exactly(250), "g/kWh")});
    Account account;
    add_use(account, use(kNewYear_s, 0.1, 0.2), factors);
    add_use(account, use(kNewYear_s + 900, 0.2, 0.3), factors);
    add_use(account, use(kNewYear_s + 1800, 0.1, 0.2), factors);
    const Sum& average = account.carbon_g[kAverage][kAboveIdle];
    EXPECT_NEAR(average.range.value, 105, 1e-9);
    EXPECT_NEAR(average.range.low, 100, 1e-9);
    EXPECT_NEAR(average.range.high, 110, 1e-9);
    EXPECT_NEAR(average.gap_joules, 0.1 * kJoulesPerKwh, 1e-6);
    EXPECT_NEAR(account.carbon_g[kMarginal][kAboveIdle].range.value, 100, 1e-9);
    // Gross: 0.2 x 200 + 0.3 x 300 + 0.2 x 250 = 180 g.
    EXPECT_NEAR(account.carbon_g[kAverage][kGross].range.value, 180, 1e-9);
    EXPECT_EQ(account.used.size(), 2);
}

// 2 kWh with PUE 1.5, 1.8 L/kWh on site and 3 L/kWh off site: 3.6 L and 2 x 1.5 x 3 = 9 L. PUE counts once, in carbon too:
// 2 x 1.5 x 400 = 1,200 g.
TEST(Account, WaterHasTwoPartsAndPueCountsOnce) {
    const Factors factors({constant(FactorKind::pue, Range::exactly(1.5)),
                           constant(FactorKind::water_on_site, Range::exactly(1.8), "L/kWh"),
                           constant(FactorKind::water_off_site, {3, 2, 4}, "L/kWh"),
                           constant(FactorKind::carbon_average, Range::exactly(400), "g/kWh")});
    Account account;
    add_use(account, use(kNewYear_s, 1, 2), factors);
    EXPECT_NEAR(account.water_on_l[kGross].range.value, 3.6, 1e-9);
    EXPECT_NEAR(account.water_off_l[kGross].range.value, 9, 1e-9);
    EXPECT_NEAR(account.water_off_l[kGross].range.low, 6, 1e-9);
    EXPECT_NEAR(account.water_off_l[kGross].range.high, 12, 1e-9);
    EXPECT_NEAR(account.carbon_g[kAverage][kGross].range.value, 1200, 1e-9);
}

// 181 kg over 4 years, 10 hours reserved: 181,000 x 36,000 / (4 x 365.25 x 86,400) = 51.62 g.
TEST(Account, TheMakingOfAMachineCountsByTimeReserved) {
    Factor laptop = constant(FactorKind::embodied, {181, 150, 500}, "kg");
    laptop.life_years = 4;
    Account account;
    EnergyStretch ten_hours = use(kNewYear_s, 1, 1);
    ten_hours.machine_s = 36'000;
    add_use(account, ten_hours, Factors({laptop}));
    EXPECT_NEAR(account.embodied_g.value, 51.62, 0.005);
    EXPECT_NEAR(account.embodied_g.low, 51.62 * 150 / 181, 0.01);
    EXPECT_NEAR(account.embodied_g.high, 51.62 * 500 / 181, 0.01);
    Account without;
    add_use(without, ten_hours, Factors({}));
    EXPECT_EQ(without.unpriced_s, 36'000);
    EXPECT_EQ(without.embodied_g, Range());
}

// 1,000 lbs/MWh are 453.59237 g/kWh; half a kilowatt-hour is 226.8 g.
TEST(Account, PoundsPerMegawattHour) {
    const Series moer = read_series(R"({"data":[{"point_time":"2026-01-01T00:00:00+00:00","value":1000},
        {"point_time":"2026-01-01T00:05:00+00:00","value":1000},{"point_time":"2026-01-01T00:10:00+00:00","value":1000}],
        "meta":{"region":"GB","signal_type":"co2_moer","units":"lbs_co2_per_mwh"}})",
                                    {}, "file")
                            .value();
    Account account;
    add_use(account, use(kNewYear_s, 0.5, 0.5),
            Factors({series_of(FactorKind::carbon_marginal, moer.quarters, "g/kWh")}));
    EXPECT_NEAR(account.carbon_g[kMarginal][kAboveIdle].range.value, 226.796185, 1e-6);
    EXPECT_NEAR(account.carbon_g[kAverage][kAboveIdle].unpriced_joules, 0.5 * kJoulesPerKwh, 1e-6);
}

// 2 kWh, known within a tenth, at -50 EUR/MWh: -0.1 EUR, between -0.11 and -0.0909.
TEST(Account, ANegativePriceEarns) {
    const Factors factors({constant(FactorKind::price, Range::exactly(-0.05), "EUR/kWh")});
    Account account;
    add_use(account, use(kNewYear_s, 1, 2, 0.1), factors);
    const Range& money = account.money[kGross].at("EUR/kWh").range;
    EXPECT_NEAR(money.value, -0.1, 1e-12);
    EXPECT_NEAR(money.low, -0.11, 1e-12);
    EXPECT_NEAR(money.high, -0.1 / 1.1, 1e-12);
}

// An hour of 0.4 kWh over quarters of 100, 200, 300 and 400 g/kWh: 0.1 kWh in each makes 100 g.
TEST(Account, LongSlotsAreSpreadOverTheirQuarters) {
    const Factors factors({series_of(
        FactorKind::carbon_average,
        {{kNewYear_s, 100}, {kNewYear_s + 900, 200}, {kNewYear_s + 1800, 300}, {kNewYear_s + 2700, 400}}, "g/kWh")});
    Account account;
    EnergyStretch hour = use(kNewYear_s, 0.4, 0.4);
    hour.length_s = 3600;
    add_use(account, hour, factors);
    EXPECT_NEAR(account.carbon_g[kAverage][kAboveIdle].range.value, 100, 1e-9);
    EXPECT_NEAR(account.joules[kAboveIdle].value, 0.4 * kJoulesPerKwh, 1e-6);
}

// 50 MB at 0.0376 kWh/GB: 0.00188 kWh, 6.768 kJ, between 0.3375 and 18 kJ.
TEST(Account, TheNetworkIsARange) {
    const Factors factors({constant(FactorKind::network, {0.0376, 0.001875, 0.1}, "kWh/GB")});
    Account account;
    const Range joules = network_joules(50e6, factors, account).value();
    EXPECT_NEAR(joules.value, 6768, 1e-6);
    EXPECT_NEAR(joules.low, 337.5, 1e-6);
    EXPECT_NEAR(joules.high, 18'000, 1e-6);
    EXPECT_FALSE(network_joules(50e6, Factors({}), account));
}

}  // namespace
}  // namespace cultivar
