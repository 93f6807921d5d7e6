#include "train/launch/run_collector.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

StepEvent step(std::int64_t number, double elapsed_s, double loss = 5) {
    return {.step = number,
            .elapsed_s = elapsed_s,
            .before_s = elapsed_s - 0.1,
            .train_loss = loss,
            .tokens = number * 1024};
}

StartEvent start(double resumed_s) {
    return {.trainer = "trainer 1", .parameters = 7, .flops_per_token = 42, .resumed_s = resumed_s};
}

TEST(RunCollector, TellsTheCourseOfARun) {
    RunCollector collector(1);
    collector.take(start(0));
    for (int i = 1; i <= 40; ++i) collector.take(step(i, i / 40.0, 10 - i / 10.0));
    cultivar::Run run;
    collector.fill(run);
    EXPECT_EQ(run.trainer, "trainer 1");
    EXPECT_EQ(run.parameters, 7);
    EXPECT_EQ(run.flops_per_token, 42);
    EXPECT_EQ(run.steps, 40);
    EXPECT_EQ(run.tokens, 40 * 1024);
    EXPECT_EQ(run.train_s, 1);
    ASSERT_EQ(run.trace_loss.size(), static_cast<std::size_t>(kTraceSteps));
    ASSERT_EQ(run.trace_elapsed_s.size(), static_cast<std::size_t>(kTraceSteps));
    EXPECT_EQ(run.trace_loss[0], 9.9);
    EXPECT_DOUBLE_EQ(run.trace_elapsed_s[1], 2 / 40.0 - 0.1) << "the clock before the step";
    EXPECT_EQ(run.curve.back().step, 40);
}

TEST(RunCollector, ReplacesTheStepsThatAResumedTrainerRepeats) {
    RunCollector collector(10);
    collector.take(start(0));
    for (int i = 1; i <= 5; ++i) collector.take(step(i, i, 5));
    collector.take(start(3));  // its checkpoint was made after step 3
    for (int i = 4; i <= 6; ++i) collector.take(step(i, i + 0.25, 4));
    ASSERT_EQ(collector.steps().size(), 6U);
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(collector.steps()[i].step, static_cast<std::int64_t>(i) + 1);
        EXPECT_EQ(collector.steps()[i].train_loss, i < 3 ? 5 : 4);
    }
    EXPECT_EQ(collector.elapsed_s(), 6.25);
}

TEST(RunCollector, TellsTheWallTimeBesideTheRunsOwnIfItHeardIt) {
    RunCollector collector(10);
    collector.take(start(0));
    collector.take(step(1, 1));
    cultivar::Run run;
    collector.fill(run);
    EXPECT_EQ(run.train_wall_s, 0);
    StepEvent disturbed = step(2, 2);
    disturbed.wall_s = 3.5;
    collector.take(disturbed);
    collector.fill(run);
    EXPECT_EQ(run.train_s, 2);
    EXPECT_EQ(run.train_wall_s, 3.5);
}

TEST(RunCollector, StartsAllOverWhenNoCheckpointWasThere) {
    RunCollector collector(10);
    collector.take(start(0));
    collector.take(step(1, 1));
    collector.take(start(0));
    EXPECT_TRUE(collector.steps().empty());
    EXPECT_EQ(collector.elapsed_s(), 0);
}

TEST(RunCollector, NeverGivesMoreThan64PointsWhoseLastIsTheLastStep) {
    for (int steps : {1, 59, 60, 61, 64, 65, 1000, 20000}) {
        RunCollector collector(1);
        for (int i = 1; i <= steps; ++i) collector.take(step(i, 1.4 * i / steps));  // overruns its budget
        auto curve = collector.curve();
        EXPECT_LE(curve.size(), 64U) << steps;
        ASSERT_FALSE(curve.empty());
        EXPECT_EQ(curve.back().step, steps);
        for (std::size_t i = 1; i < curve.size(); ++i) EXPECT_LT(curve[i - 1].elapsed_s, curve[i].elapsed_s);
    }
}

TEST(RunCollector, GivesMeansSinceThePointBefore) {
    RunCollector collector(60);  // one point per second
    collector.take(step(1, 0.25, 8));
    collector.take(step(2, 0.5, 6));
    collector.take(step(3, 1.5, 4));
    collector.take(step(4, 1.75, 2));
    auto curve = collector.curve();
    ASSERT_EQ(curve.size(), 2U);
    EXPECT_EQ(curve[0].step, 3);
    EXPECT_DOUBLE_EQ(curve[0].train_loss, 6);
    EXPECT_DOUBLE_EQ(curve[1].train_loss, 2);
}

TEST(RunCollector, EndsTheTraceBeforeAStepThatWasNeverHeardOf) {
    RunCollector collector(60);
    for (std::int64_t number : {1, 2, 4, 5}) collector.take(step(number, static_cast<double>(number), 3));
    cultivar::Run run;
    collector.fill(run);
    EXPECT_EQ(run.steps, 5);
    EXPECT_EQ(run.trace_loss.size(), 2U);
}

TEST(RunCollector, OfNothingFillsNothing) {
    cultivar::Run run;
    RunCollector(1).fill(run);
    EXPECT_EQ(run.steps, 0);
    EXPECT_TRUE(run.curve.empty());
    EXPECT_TRUE(run.trace_loss.empty());
}

}  // namespace
}  // namespace cultivar
