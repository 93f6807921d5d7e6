#include "eval/judge/track_record.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

constexpr std::int64_t kDay_s = 86400, kNow_s = 1'795'240'000;

JudgedWork valid(std::int64_t days_ago, double budget_s = 600, bool fresh = true) {
    return {VerdictResult::accepted, kNow_s - days_ago * kDay_s, budget_s, fresh};
}
int valid_in_a_row(const std::vector<JudgedWork>& work, double budget_s = 600) {
    return track_record_of(work, budget_s, kNow_s).valid_in_a_row;
}

TEST(TrackRecordOfAKey, EarnsNothingByClaimingARunAgain) {
    std::vector<JudgedWork> work = {valid(0)};
    for (int i = 0; i < 15; ++i) work.push_back(valid(0, 600, false));
    EXPECT_EQ(valid_in_a_row(work), 1);
}

TEST(TrackRecordOfAKey, IsNotFarmedInADay) {
    EXPECT_EQ(valid_in_a_row(std::vector<JudgedWork>(40, valid(0))), kMostPerDay);
    EXPECT_LT(valid_in_a_row(std::vector<JudgedWork>(40, valid(0))), kProbation);
}

TEST(TrackRecordOfAKey, IsNotFarmedWithCheapRuns) {
    std::vector<JudgedWork> work;
    for (int day = 20; day > 0; --day) work.push_back(valid(day, 1));
    EXPECT_EQ(valid_in_a_row(work, 600), 0);
    EXPECT_GT(valid_in_a_row(work, 1), kProbation) << "it is a record for runs of that cost";
}

TEST(TrackRecordOfAKey, GrowsOverDaysAndDecays) {
    std::vector<JudgedWork> lately, long_ago;
    for (int day = 12; day > 0; --day) lately.push_back(valid(day)), long_ago.push_back(valid(400 + day));
    EXPECT_GE(valid_in_a_row(lately), kProbation);
    EXPECT_EQ(valid_in_a_row(long_ago), 0);
}

TEST(TrackRecordOfAKey, EndsWithARejectedClaim) {
    std::vector<JudgedWork> work;
    for (int day = 12; day > 1; --day) work.push_back(valid(day));
    work.push_back({VerdictResult::rejected, kNow_s - kDay_s, 600, false});
    EXPECT_EQ(valid_in_a_row(work), 0);
    EXPECT_EQ(standing_of(work), KeyStanding::doubtful);
    work.push_back(valid(0));
    EXPECT_EQ(valid_in_a_row(work), 1);
    EXPECT_EQ(standing_of(work), KeyStanding::proven);
}

TEST(TrackRecordOfAKey, BuysNoPlaceForEver) {
    std::vector<JudgedWork> work = {valid(400)};
    EXPECT_EQ(standing_of(work), KeyStanding::proven) << "time alone takes nothing from it";
    for (int day = 300; day > 200; --day) work.push_back(valid(day));
    int barren = 0;
    for (; barren < 100 && standing_of(work) == KeyStanding::proven; ++barren)
        work.push_back({VerdictResult::inconclusive, kNow_s, 600, false});
    EXPECT_GE(barren, 8);
    EXPECT_LE(barren, 20);
    EXPECT_EQ(standing_of(work), KeyStanding::unknown);
    work.push_back(valid(0));
    EXPECT_EQ(standing_of(work), KeyStanding::proven);
}

TEST(TrackRecordOfAKey, IsUnknownWithoutAVerdictThatDecides) {
    EXPECT_EQ(standing_of({}), KeyStanding::unknown);
    EXPECT_EQ(standing_of({{VerdictResult::inconclusive, kNow_s, 600, false}}), KeyStanding::unknown);
}

}  // namespace
}  // namespace cultivar
