#include "energy/series/grid_time.h"

#include "energy/series/grid_unit.h"

namespace cultivar {
namespace {

constexpr std::int64_t kNewYear = 1'767'225'600;  // 2026-01-01T00:00:00Z

TEST(GridTime, IsReadInEveryForm) {
    EXPECT_EQ(parse_grid_time("2026-01-01T00:30Z"), kNewYear + 1800);
    EXPECT_EQ(parse_grid_time("2026-01-01T00:30:00Z"), kNewYear + 1800);
    EXPECT_EQ(parse_grid_time("2026-01-01T00:30:00.000Z"), kNewYear + 1800);
    EXPECT_EQ(parse_grid_time("2026-01-01T01:30:00+01:00"), kNewYear + 1800);
    EXPECT_EQ(parse_grid_time("2025-12-31T19:00:00-0500"), kNewYear);
    EXPECT_EQ(parse_grid_time("2026-01-01T00:30:00"), kNewYear + 1800);
    EXPECT_EQ(parse_grid_time("2026-01-01 00:30"), kNewYear + 1800);
    EXPECT_EQ(parse_grid_time("2024-02-29T00:00Z"), 1'709'164'800);
}

TEST(GridTime, IsRefusedOtherwise) {
    for (const char* text : {"", "2026", "2026-01-01", "2026-02-30T00:00Z", "1999-01-01T00:00Z", "2026-01-01T24:00Z",
                             "2026-01-01T00:30Zx", "2026-01-01T00:30+1", "-026-01-01T00:30Z", "2026-1-1T00:30Z"})
        EXPECT_EQ(parse_grid_time(text), std::nullopt) << text;
}

TEST(GridTime, DurationsHaveDaysToo) {
    EXPECT_EQ(parse_grid_duration("00:05:00"), 300);
    EXPECT_EQ(parse_grid_duration("08:00:00"), 28'800);
    EXPECT_EQ(parse_grid_duration("1.00:00:00"), 86'400);
    for (const char* text : {"", "00:00:00", "5", "00:05", "x.00:05:00", "-1:05:00"})
        EXPECT_EQ(parse_grid_duration(text), std::nullopt) << text;
}

TEST(GridUnit, AreConvertedToGramsAndCurrencyPerKilowattHour) {
    // 1 lb = 453.59237 g and 1 MWh = 1,000 kWh: 1,000 lbs/MWh are 453.59237 g/kWh.
    EXPECT_DOUBLE_EQ(1000 * parse_grid_unit("lbs/MWh")->factor, 453.59237);
    EXPECT_EQ(parse_grid_unit("lbs_co2_per_mwh")->unit, "g/kWh");
    EXPECT_DOUBLE_EQ(parse_grid_unit("kg/MWh")->factor, 1);
    EXPECT_DOUBLE_EQ(parse_grid_unit("t/MWh")->factor, 1000);
    EXPECT_EQ(parse_grid_unit("DKK/MWh")->unit, "DKK/kWh");
    EXPECT_DOUBLE_EQ(parse_grid_unit("DKK/MWh")->factor, 0.001);
    EXPECT_EQ(parse_grid_unit("p/kWh")->unit, "GBP/kWh");
    EXPECT_EQ(parse_grid_unit("p/kWh")->quantity, Quantity::price);
    for (const char* text : {"", "g", "EUR", "EURO/MWh", "eu/MWh", "lbs", "\xff\xff\xff/MWh"})
        EXPECT_FALSE(parse_grid_unit(text)) << text;
}

}  // namespace
}  // namespace cultivar
