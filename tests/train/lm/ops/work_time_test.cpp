#include "train/lm/ops/work_time.h"

#include <thread>

#include <gtest/gtest.h>

namespace cultivar {
namespace {

constexpr double kPiece_s = 0.02;

// Works until the calling thread has spent this much processor time.
void work_for(double seconds) {
    const double end_s = thread_s() + seconds;
    while (thread_s() < end_s) continue;
}

TEST(WorkTime, OfARegionIsThatOfItsLanesHoweverLongTheStarterWaits) {
    const double before_s = work_s();
    WorkRegion region(1);
    std::thread lane([&] { region.time(0, [] { work_for(kPiece_s); }); });
    work_for(5 * kPiece_s);  // spins until the lane is done
    lane.join();
    region.end(1);
    EXPECT_GE(work_s() - before_s, kPiece_s);
    EXPECT_LT(work_s() - before_s, 2 * kPiece_s);
}

TEST(WorkTime, IsAsIfEachLaneHadACoreThatTakesThePiecesInTurn) {
    EXPECT_EQ(time_in_lanes({3, 1, 1, 1}, 2), 3);
    EXPECT_EQ(time_in_lanes({1, 1, 1}, 2), 2);
    EXPECT_EQ(time_in_lanes({1, 1, 3}, 2), 4) << "the costly one came last";
    EXPECT_EQ(time_in_lanes({1, 2, 3}, 1), 6);
    EXPECT_EQ(time_in_lanes({1, 2, 3}, 3), 3);
    EXPECT_EQ(time_in_lanes({}, 3), 0);
}

TEST(WorkTime, OutsideOfRegionsIsTheThreadsProcessorTime) {
    const double before_s = work_s(), thread_before_s = thread_s();
    work_for(kPiece_s);
    EXPECT_NEAR(work_s() - before_s, thread_s() - thread_before_s, kPiece_s / 10);
}

}  // namespace
}  // namespace cultivar
