#include "energy/when/window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "energy/when/trailing.h"
#include "tests/energy/support.h"

namespace cultivar {
namespace {

constexpr std::int64_t kHour_s = 3600;

// A value for each hour from the new year on; a negative one is a gap.
Series hours(const std::vector<double>& values) {
    Series series;
    std::int64_t start_s = kNewYear_s;
    for (const double value : values) {
        for (int i = 0; i < 4; ++i, start_s += kQuarter_s) {
            if (value >= 0) series.quarters.push_back({start_s, value});
        }
    }
    return series;
}

TEST(CleanestWindow, IsTheOneWithTheLeastMean) {
    const Series series = hours({300, 200, 100, 120, 400, 90, 500, 500});
    const WindowChoice choice = choose_window(&series, kNewYear_s, 2 * kHour_s, 8 * kHour_s);
    EXPECT_EQ(choice.basis, WindowBasis::forecast);
    EXPECT_EQ(choice.start_s, kNewYear_s + 2 * kHour_s);
    EXPECT_EQ(choice.end_s, kNewYear_s + 4 * kHour_s);
    EXPECT_DOUBLE_EQ(*choice.mean, 110);
    EXPECT_DOUBLE_EQ(*choice.at_once, 250);
}

TEST(CleanestWindow, CountsThePartsOfTheQuartersAtItsEnds) {
    const Series series = hours({100, 400});
    const WindowChoice choice = choose_window(&series, kNewYear_s + 300, kHour_s, kHour_s);
    EXPECT_EQ(choice.start_s, kNewYear_s + 300);
    EXPECT_DOUBLE_EQ(*choice.mean, (100.0 * 3300 + 400 * 300) / 3600);
}

TEST(CleanestWindow, TakesTheFirstOfEquals) {
    const Series series = hours({0.3, 0.1, 0.1, 0.3, 0.1, 0.1});
    EXPECT_EQ(choose_window(&series, kNewYear_s, 2 * kHour_s, 6 * kHour_s).start_s, kNewYear_s + kHour_s);
}

TEST(CleanestWindow, LooksNoFurtherThanAskedOrKnown) {
    const Series series = hours({300, 200, 100, 10});
    const WindowChoice asked = choose_window(&series, kNewYear_s, kHour_s, 3 * kHour_s);
    EXPECT_EQ(asked.start_s, kNewYear_s + 2 * kHour_s);
    const WindowChoice known = choose_window(&series, kNewYear_s, kHour_s, 24 * kHour_s);
    EXPECT_EQ(known.basis, WindowBasis::shortened);
    EXPECT_EQ(known.start_s, kNewYear_s + 3 * kHour_s);
    EXPECT_EQ(known.known_until_s, kNewYear_s + 4 * kHour_s);
}

TEST(CleanestWindow, HoldsNoGap) {
    const Series series = hours({300, 10, -1, 10, 200, 250});
    const WindowChoice choice = choose_window(&series, kNewYear_s, 2 * kHour_s, 6 * kHour_s);
    EXPECT_EQ(choice.start_s, kNewYear_s + 3 * kHour_s);
    EXPECT_DOUBLE_EQ(*choice.mean, 105);
}

TEST(CleanestWindow, BeginsAtOnceWhereNoForecastHelps) {
    const Series series = hours({300, 10});
    const std::int64_t later_s = kNewYear_s + 5 * kHour_s;
    for (const Series* one : {static_cast<const Series*>(nullptr), &series}) {
        const WindowChoice choice = choose_window(one, later_s, kHour_s, 3 * kHour_s);
        EXPECT_EQ(choice.basis, WindowBasis::no_forecast);
        EXPECT_EQ(choice.start_s, later_s);
        EXPECT_EQ(choice.end_s, later_s + kHour_s);
    }
    const WindowChoice small = choose_window(&series, kNewYear_s + kHour_s, 2 * kHour_s, 9 * kHour_s);
    EXPECT_EQ(small.basis, WindowBasis::too_short);
    EXPECT_EQ(small.start_s, kNewYear_s + kHour_s);
}

TEST(TrailingPercentile, IsLinearBetweenRanksOfTheLast24Hours) {
    std::vector<double> values(24, 1000);  // of the day before
    for (int i = 0; i < 24; ++i) values.push_back(i);
    const Series series = hours(values);
    const std::int64_t now_s = kNewYear_s + 48 * kHour_s - 1;
    EXPECT_DOUBLE_EQ(*trailing_percentile(series, now_s, 50), 11.5);  // ranks 47 and 48 of 96: 11 and 12
    EXPECT_DOUBLE_EQ(*trailing_percentile(series, now_s, 1), 0);      // rank 0.95: 0 and 0
    EXPECT_DOUBLE_EQ(*trailing_percentile(series, now_s, 99), 23);
}

TEST(TrailingPercentile, NeedsHalfOfTheDay) {
    const Series series = hours(std::vector<double>(24, 5));
    EXPECT_FALSE(trailing_percentile(series, kNewYear_s + 12 * kHour_s - kQuarter_s - 1, 30));
    EXPECT_TRUE(trailing_percentile(series, kNewYear_s + 12 * kHour_s - 1, 30));
    EXPECT_TRUE(trailing_percentile(series, kNewYear_s + 36 * kHour_s - 1, 30));
    EXPECT_FALSE(trailing_percentile(series, kNewYear_s + 37 * kHour_s, 30));
}

}  // namespace
}  // namespace cultivar
