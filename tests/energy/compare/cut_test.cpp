#include "energy/compare/cut.h"

#include "tests/energy/compare/arms.h"

namespace cultivar {
namespace {

// 100 J each; verified 5.0 after the first run and 4.0 after the third.
Repeat three_runs() { return repeat_of({{100, 200, 5.0}, {100, 200}, {100, 200, 4.0}}); }

// 4.5 lies half way between 5.0 and 4.0: half of everything after the first record, so 2 runs and 10 + 10 s.
TEST(Cut, CostIsInterpolatedBetweenVerifiedRecords) {
    const Cut cut = cut_at(three_runs(), {TargetKind::score, 4.5});
    EXPECT_TRUE(cut.is_reached);
    EXPECT_EQ(cut.weights, (std::vector<double>{1, 0.5, 0.5}));
    EXPECT_DOUBLE_EQ(cut.elapsed_s, 20);
}

TEST(Cut, TheFirstRecordCostsAllRunsUpToIt) {
    const Cut cut = cut_at(repeat_of({{100, 200}, {100, 200, 5.0}, {100, 200, 4.0}}), {TargetKind::score, 6});
    EXPECT_TRUE(cut.is_reached);
    EXPECT_EQ(cut.weights, (std::vector<double>{1, 1, 0}));
    EXPECT_DOUBLE_EQ(cut.elapsed_s, 20);
}

TEST(Cut, ARepeatThatNeverGotThereIsCensored) {
    const Cut cut = cut_at(three_runs(), {TargetKind::score, 3});
    EXPECT_FALSE(cut.is_reached);
    EXPECT_EQ(cut.weights, (std::vector<double>{1, 1, 1}));
    EXPECT_EQ(cut.best_loss, 4.0);
    EXPECT_DOUBLE_EQ(cut.elapsed_s, 30);
}

// A worse verified score after a better one is no record.
TEST(Cut, OnlyRecordsCount) {
    const Cut cut = cut_at(repeat_of({{100, 200, 5.0}, {100, 200, 6.0}, {100, 200, 4.0}}), {TargetKind::score, 4.5});
    EXPECT_EQ(cut.weights, (std::vector<double>{1, 0.5, 0.5}));
}

// 2.5e9 FLOPs of 1e9 a run; 500 J gross of 200 a run.
TEST(Cut, ComputeAndJoulesAreCutWithinARun) {
    const Cut compute = cut_at(three_runs(), {TargetKind::compute, 2.5e9});
    EXPECT_EQ(compute.weights, (std::vector<double>{1, 1, 0.5}));
    EXPECT_EQ(compute.best_loss, 5.0);
    EXPECT_DOUBLE_EQ(compute.elapsed_s, 25);
    const Cut joules = cut_at(three_runs(), {TargetKind::joules, 500});
    EXPECT_EQ(joules.weights, (std::vector<double>{1, 1, 0.5}));
    EXPECT_FALSE(cut_at(three_runs(), {TargetKind::joules, 601}).is_reached);
    EXPECT_EQ(cut_at(three_runs(), {TargetKind::joules, 600}).best_loss, 4.0);
}

TEST(Cut, TheCommonScoreIsTheWorstOfTheBest) {
    const Arm one = arm_of({three_runs(), repeat_of({{100, 200, 4.2}})}), other = arm_of({repeat_of({{1, 1, 4.1}})});
    EXPECT_EQ(common_loss(one, other), 4.2);
    EXPECT_FALSE(common_loss(one, arm_of({repeat_of({{1, 1}})})));
}

}  // namespace
}  // namespace cultivar
