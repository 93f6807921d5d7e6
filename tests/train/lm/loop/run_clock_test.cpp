#include "train/lm/loop/run_clock.h"

#include <cmath>

#include <gtest/gtest.h>

#include "pool/types/record.h"

namespace cultivar {
namespace {

std::unique_ptr<RunClock> own_clock(double budget_s) {
    Specification specification;
    specification.budget_s = budget_s;
    return make_run_clock(specification);
}

std::unique_ptr<RunClock> recorded_clock(std::vector<double> readings_s) {
    Specification specification;
    specification.budget_s = 10;
    specification.clock = std::move(readings_s);
    return make_run_clock(specification);
}

TEST(OwnClock, GoesOnFromWhereItIsStartedAndStandsWhilePaused) {
    const auto clock = own_clock(10);
    clock->start(5);
    const double first_s = clock->elapsed_s(0);
    EXPECT_GE(first_s, 5);
    clock->pause();
    const double paused_s = clock->elapsed_s(0);
    EXPECT_GE(paused_s, first_s);
    EXPECT_EQ(clock->elapsed_s(1), paused_s);
    clock->go_on();
    EXPECT_GE(clock->elapsed_s(0), paused_s);
}

TEST(OwnClock, CountsInWholeTicksSoThatARecordRoundsNothingAway) {
    const auto clock = own_clock(10);
    clock->start(2.00001);
    EXPECT_EQ(clock->elapsed_s(0), std::round(clock->elapsed_s(0) * 1e4) / 1e4);
    clock->pause();
    cultivar::Run run;
    run.trace_elapsed_s = {clock->elapsed_s(1)};
    round_figures(run);
    EXPECT_EQ(run.trace_elapsed_s[0], clock->elapsed_s(1));
}

TEST(OwnClock, AllowsAStepThatAtTheMeanPaceEndsWithinTheBudget) {
    const auto clock = own_clock(10);
    EXPECT_TRUE(clock->another_step(0, 0));
    EXPECT_TRUE(clock->another_step(4, 8));
    EXPECT_FALSE(clock->another_step(5, 10));
    EXPECT_FALSE(clock->another_step(1, 5.5)) << "half of a long step would be over the budget";
}

TEST(RecordedClock, ShowsItsReadingsOneAStepAndThenStops) {
    const auto clock = recorded_clock({0, 20, 25});
    clock->start(0);
    EXPECT_EQ(clock->elapsed_s(0), 0);
    EXPECT_EQ(clock->elapsed_s(1), 20);
    EXPECT_EQ(clock->elapsed_s(3), 25);
    EXPECT_TRUE(clock->another_step(2, 25)) << "its budget was somebody else's to keep";
    EXPECT_FALSE(clock->another_step(3, 25));
}

}  // namespace
}  // namespace cultivar
