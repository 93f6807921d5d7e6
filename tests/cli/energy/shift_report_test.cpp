#include "cli/energy/shift_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/format/shift_view.h"
#include "tests/energy/support.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Quarters of an hour from the new year on; a negative one is a gap.
Factor quarters(FactorKind kind, const std::vector<double>& values, const std::string& unit = "g/kWh") {
    std::vector<Quarter> all;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] >= 0) all.push_back({kNewYear_s + static_cast<std::int64_t>(i) * kQuarter_s, values[i]});
    }
    return series_of(kind, all, unit, "DE");
}

// 3.6 MJ above idle (1 kWh) in each of these quarters, with an error of 25 %.
ShiftedRun run_in(const std::vector<int>& places, const Delays& delays) {
    ShiftedRun shifted;
    shifted.run.zone = "DE";
    shifted.delays = delays;
    EnergyDomain domain{.domain = "machine", .method = "declared", .error = 0.25, .slots = {}};
    for (const int place : places) domain.slots.push_back({kNewYear_s + place * kQuarter_s, 900, 4.6e6, 1e6});
    shifted.run.energy.domains.push_back(domain);
    return shifted;
}

TEST(ShiftReport, ComparesWithTheSameJoulesAtTheEarlierTime) {
    const Factors factors({quarters(FactorKind::carbon_average, {400, 300, 200, 100}),
                           quarters(FactorKind::price, {0.4, 0.3, 0.1, -0}, "EUR/kWh")});
    // In quarters 2 and 3, half an hour late: 200 + 100 instead of 400 + 300 g.
    const ShiftReport report = shift_report({run_in({2, 3}, {{kNewYear_s + 1800, 1800}})}, factors);
    EXPECT_EQ(report.runs, 1);
    EXPECT_DOUBLE_EQ(report.joules.value, 7.2e6);
    EXPECT_DOUBLE_EQ(report.mean_delay_s, 1800);
    const Saving& carbon = report.carbon[kAverage];
    EXPECT_DOUBLE_EQ(carbon.saved.value, 400);
    EXPECT_DOUBLE_EQ(carbon.saved.low, 400 / 1.25);
    EXPECT_DOUBLE_EQ(carbon.saved.high, 400 * 1.25);
    EXPECT_DOUBLE_EQ(carbon.covered_joules, 7.2e6);
    EXPECT_EQ(report.carbon[kMarginal].covered_joules, 0);
    EXPECT_NEAR(report.money.at("EUR/kWh").saved.value, 0.6, 1e-12);
}

TEST(ShiftReport, SplitsATimeThatFallsBetweenTwoQuarters) {
    const Factors factors({quarters(FactorKind::carbon_average, {400, 100, 50})});
    // Ten minutes late: 5 of its minutes would have been in quarter 1, and 10 in quarter 0.
    const ShiftReport report = shift_report({run_in({1}, {{kNewYear_s, 600}})}, factors);
    EXPECT_NEAR(report.carbon[kAverage].saved.value, (400.0 * 10 + 100 * 5) / 15 - 100, 1e-9);
}

TEST(ShiftReport, TakesTheDelayOfEachPartOfARun) {
    const Factors factors({quarters(FactorKind::carbon_average, {400, 100, 50, 10})});
    const Delays delays = {{kNewYear_s + 900, 900}, {kNewYear_s + 2700, 1800}};
    const ShiftReport report = shift_report({run_in({1, 3}, delays)}, factors);
    EXPECT_DOUBLE_EQ(report.carbon[kAverage].saved.value, (400 - 100) + (100 - 10));
    EXPECT_DOUBLE_EQ(report.mean_delay_s, 1350);
}

TEST(ShiftReport, MaySaveLessThanNothing) {
    const Factors factors({quarters(FactorKind::carbon_average, {100, 400})});
    const ShiftReport report = shift_report({run_in({1}, {{kNewYear_s + 900, 900}})}, factors);
    const Range& saved = report.carbon[kAverage].saved;
    EXPECT_DOUBLE_EQ(saved.value, -300);
    EXPECT_DOUBLE_EQ(saved.low, -375);
    EXPECT_DOUBLE_EQ(saved.high, -240);
}

TEST(ShiftReport, ClaimsNothingWithoutASeriesOfBothTimes) {
    const Factors factors({quarters(FactorKind::carbon_average, {-1, 300, -1, 100}),
                           constant(FactorKind::carbon_average, Range::exactly(238), "g/kWh", "DE")});
    // Quarter 3 against the gap in 2, quarter 1 against the constant before the series, and quarter 3 against quarter 1.
    const ShiftReport report = shift_report(
        {run_in({3}, {{kNewYear_s, 900}}), run_in({1}, {{kNewYear_s, 900}}), run_in({3}, {{kNewYear_s, 1800}})},
        factors);
    EXPECT_DOUBLE_EQ(report.carbon[kAverage].saved.value, 200);
    EXPECT_DOUBLE_EQ(report.carbon[kAverage].covered_joules, 3.6e6);
    EXPECT_THAT(shift_lines(report),
                ElementsAre(HasSubstr("3 runs by 20 min "),
                            HasSubstr("of carbon, average grid, by series that cover 33 % of these joules")));
}

TEST(ShiftReport, SaysThatNobodyKnowsAndNothingWithoutARun) {
    const Factors none(std::vector<Factor>{});
    const ShiftReport report = shift_report({run_in({1}, {{kNewYear_s, 900}})}, none);
    EXPECT_THAT(shift_lines(report), ElementsAre(HasSubstr("1 run by"), HasSubstr("nobody knows what that saved")));
    EXPECT_EQ(shift_json(report)["carbon_saved_g"]["average"], nullptr);
    EXPECT_THAT(shift_lines(shift_report({}, none)), IsEmpty());
    EXPECT_EQ(shift_json(shift_report({}, none)), nullptr);
}

}  // namespace
}  // namespace cultivar
