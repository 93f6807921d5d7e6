#include "energy/series/resample.h"

namespace cultivar {
namespace {

constexpr std::int64_t kBegin_s = 1'767'225'600;  // 2026-01-01T00:00:00Z

std::string text_of(const Result<std::vector<Quarter>>& quarters) {
    if (!quarters) return quarters.error().message;
    std::string text;
    for (const Quarter& one : *quarters) text += fmt::format("{}:{:g} ", (one.start_s - kBegin_s) / 60, one.value);
    return text;
}

GridSlot slot(int from_min, int to_min, double value) {
    return {kBegin_s + 60 * from_min, kBegin_s + 60 * to_min, value};
}

TEST(Resample, HalfAnHourIsTwoQuarters) {
    EXPECT_EQ(text_of(resample({slot(0, 30, 200), slot(30, 60, -10)})), "0:200 15:200 30:-10 45:-10 ");
}

TEST(Resample, ShorterSlotsAreAveraged) {
    EXPECT_EQ(text_of(resample({slot(0, 5, 100), slot(5, 10, 200), slot(10, 15, 300)})), "0:200 ");
}

TEST(Resample, AQuarterNeedsHalfOfItself) {
    EXPECT_EQ(text_of(resample({slot(0, 5, 100), slot(5, 8, 200), slot(15, 22, 1), slot(30, 45, 7)})), "0:137.5 30:7 ");
}

TEST(Resample, OrderDoesNotMatterAndGapsStay) {
    EXPECT_EQ(text_of(resample({slot(60, 75, 3), slot(0, 15, 1)})), "0:1 60:3 ");
}

// An hour, a quarter of which is told anew, then the rest of the hour again.
TEST(Resample, TheLaterStartCountsWhereSlotsOverlap) {
    EXPECT_EQ(text_of(resample({slot(15, 30, 9), slot(0, 60, 1)})), "0:1 15:9 30:1 45:1 ");
    EXPECT_EQ(text_of(resample({slot(0, 15, 1), slot(0, 15, 2)})), "0:2 ");
    EXPECT_EQ(text_of(resample({slot(0, 30, 1), slot(15, 45, 2)})), "0:1 15:2 30:2 ");
}

TEST(Resample, SlotsBackwardsAreNone) { EXPECT_EQ(text_of(resample({slot(30, 15, 1), slot(0, 0, 2)})), ""); }

TEST(Resample, IsBounded) {
    const std::int64_t year_s = 366 * 86'400;
    std::vector<GridSlot> slots;
    for (int i = 0; i < 12; ++i) slots.push_back({kBegin_s + i * year_s, kBegin_s + (i + 1) * year_s, 1});
    EXPECT_EQ(text_of(resample(slots)), "the series covers more than 11 years");
}

TEST(CloseSlots, PointsLastForTheMiddleStepAtMost) {
    std::vector<GridSlot> slots = {
        {kBegin_s, 0, 1}, {kBegin_s + 7200, 0, 3}, {kBegin_s + 900, 0, 2}, {kBegin_s + 8100, 0, 4}};
    close_slots(slots, 3600);
    EXPECT_EQ(text_of(resample(slots)), "0:1 15:2 120:3 135:4 ");
}

TEST(CloseSlots, OnePointHasTheStepOfItsFormat) {
    std::vector<GridSlot> slots = {{kBegin_s, 0, 5}};
    close_slots(slots, 3600);
    EXPECT_EQ(text_of(resample(slots)), "0:5 15:5 30:5 45:5 ");
}

TEST(Series, ALookUpFindsItsQuarterOnly) {
    const Series series{{}, {{kBegin_s, 1}, {kBegin_s + 1800, 2}}};
    EXPECT_EQ(series.at(kBegin_s - 1), std::nullopt);
    EXPECT_EQ(series.at(kBegin_s + 899), 1);
    EXPECT_EQ(series.at(kBegin_s + 900), std::nullopt);
    EXPECT_EQ(series.at(kBegin_s + 1800), 2);
    EXPECT_EQ(series.at(kBegin_s + 2700), std::nullopt);
}

}  // namespace
}  // namespace cultivar
