#include "train/lm/loop/run_clock.h"

#include <chrono>
#include <cmath>
#include <thread>

#include <gtest/gtest.h>

#include "pool/types/record.h"

namespace cultivar {
namespace {

std::unique_ptr<RunClock> own_clock(double budget_s, bool counts_work = false, const std::string& device = "cpu") {
    Specification specification;
    specification.budget_s = budget_s;
    specification.cpu_clock = counts_work;
    specification.device = device;
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
    clock->start(5, 6);
    const double first_s = clock->elapsed_s(0);
    EXPECT_GE(first_s, 5);
    clock->pause();
    const double paused_s = clock->elapsed_s(0);
    EXPECT_GE(paused_s, first_s);
    EXPECT_EQ(clock->elapsed_s(1), paused_s);
    clock->go_on();
    EXPECT_GE(clock->elapsed_s(0), paused_s);
}

TEST(OwnClock, OfWorkStandsWhileTheThreadDoesNotRunAndTellsTheWallTimeBeside) {
    constexpr double kRest_s = 0.05;
    const auto rest = [&](const RunClock& clock) {
        const double before_s = clock.elapsed_s(0), before_wall_s = clock.wall_s();
        std::this_thread::sleep_for(std::chrono::duration<double>(kRest_s));
        return std::pair(clock.elapsed_s(0) - before_s, clock.wall_s() - before_wall_s);
    };
    const auto work = own_clock(10, true), gpu = own_clock(10, true, "cuda");
    work->start(1, 2), gpu->start(1, 2);
    EXPECT_GE(work->wall_s(), 2);
    const auto [worked_s, wall_s] = rest(*work);
    EXPECT_LT(worked_s, kRest_s / 2);
    EXPECT_GE(wall_s, kRest_s);
    EXPECT_GE(rest(*gpu).first, kRest_s - kClockTick_s) << "another device does not tell its work";
    EXPECT_EQ(work->here_s(), 0);
}

TEST(OwnClock, CountsInWholeTicksSoThatARecordRoundsNothingAway) {
    const auto clock = own_clock(10);
    clock->start(2.00001, 0);
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
    clock->start(0, 0);
    EXPECT_EQ(clock->elapsed_s(0), 0);
    EXPECT_EQ(clock->elapsed_s(1), 20);
    EXPECT_EQ(clock->elapsed_s(3), 25);
    EXPECT_TRUE(clock->another_step(2, 25)) << "its budget was somebody else's to keep";
    EXPECT_FALSE(clock->another_step(3, 25));
}

}  // namespace
}  // namespace cultivar
