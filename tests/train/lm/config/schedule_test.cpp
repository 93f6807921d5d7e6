#include "train/lm/config/schedule.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

ScheduleConfig steps(std::int64_t count) {
    ScheduleConfig schedule;
    schedule.warmdown_steps = count;
    return schedule;
}

// Golden values: lr_mul and the momentum warm-up of Parameter Golf's train_gpt.py, computed by hand.

TEST(Rates, AreFullWhileTheTimeLeftIsMoreThanTheWarmdownTakes) {
    EXPECT_EQ(lr_multiplier(0, 0, 600, steps(1200)), 1);
    EXPECT_EQ(lr_multiplier(2000, 100, 600, steps(1200)), 1);  // 0.05 s per step, 60 s of warm-down, 500 s left
}

TEST(Rates, FallLinearlyOverTheLastSteps) {
    EXPECT_DOUBLE_EQ(lr_multiplier(11400, 570, 600, steps(1200)), 0.5);  // 30 s left of 60 s
    EXPECT_DOUBLE_EQ(lr_multiplier(12000, 600, 600, steps(1200)), 0);
}

TEST(Rates, DecayFromTheSecondStepWhenTheWarmdownIsLongerThanTheBudget) {
    EXPECT_EQ(lr_multiplier(0, 0, 10, steps(1200)), 1);
    EXPECT_DOUBLE_EQ(lr_multiplier(1, 1, 10, steps(1200)), 9.0 / 1200);
    EXPECT_DOUBLE_EQ(lr_multiplier(4, 8, 10, steps(1200)), 2.0 / 2400);
}

TEST(Rates, AreZeroOnceTheBudgetIsGoneAndAlwaysFullWithoutWarmdown) {
    EXPECT_EQ(lr_multiplier(5, 11, 10, steps(1200)), 0);
    EXPECT_EQ(lr_multiplier(5, 11, 10, steps(0)), 1);
}

TEST(Rates, FallOverAShareOfTheBudgetWhateverThePace) {
    ScheduleConfig schedule;
    schedule.warmdown_by_share = true;
    schedule.warmdown_share = 0.4;
    EXPECT_EQ(lr_multiplier(0, 0, 10, schedule), 1);
    EXPECT_EQ(lr_multiplier(3, 6, 10, schedule), 1);
    EXPECT_DOUBLE_EQ(lr_multiplier(900, 8, 10, schedule), 0.5);
    EXPECT_DOUBLE_EQ(lr_multiplier(5, 10, 10, schedule), 0);
}

TEST(Rates, KeepAMinimumToTheEnd) {
    ScheduleConfig schedule = steps(1200);
    schedule.min_rate = 0.1;
    EXPECT_DOUBLE_EQ(lr_multiplier(11400, 570, 600, schedule), 0.55);
    EXPECT_DOUBLE_EQ(lr_multiplier(12000, 600, 600, schedule), 0.1);
}

TEST(Rates, RiseOverTheWarmUpAndTouchNothingAfterIt) {
    ScheduleConfig schedule;
    schedule.warmup_steps = 4;
    EXPECT_DOUBLE_EQ(lr_multiplier(0, 0, 10, schedule), 0.25);
    EXPECT_DOUBLE_EQ(lr_multiplier(2, 1, 10, schedule), 0.75);
    EXPECT_EQ(lr_multiplier(3, 2, 10, schedule), 1);
    EXPECT_EQ(lr_multiplier(99, 3, 10, schedule), 1);
}

TEST(Momentum, RisesLinearlyAndStays) {
    EXPECT_DOUBLE_EQ(muon_momentum_at(0, 0.85, 0.95, 500), 0.85);
    EXPECT_DOUBLE_EQ(muon_momentum_at(250, 0.85, 0.95, 500), 0.90);
    EXPECT_DOUBLE_EQ(muon_momentum_at(500, 0.85, 0.95, 500), 0.95);
    EXPECT_DOUBLE_EQ(muon_momentum_at(9999, 0.85, 0.95, 500), 0.95);
    EXPECT_DOUBLE_EQ(muon_momentum_at(0, 0.85, 0.95, 0), 0.95);
}

}  // namespace
}  // namespace cultivar
