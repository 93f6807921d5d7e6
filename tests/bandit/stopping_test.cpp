#include "bandit/stopping.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/bandit/world.h"

namespace cultivar {
namespace {

constexpr double kBudget_s = 100;

// Loss falls from 6 towards `floor`; points every 2 s.
std::vector<CurvePoint> curve_to(double floor, double until_s = kBudget_s) {
    std::vector<CurvePoint> curve;
    for (int i = 1; 2 * i <= until_s; ++i) curve.push_back({2.0 * i, i, floor + (6 - floor) * std::exp(-2.0 * i / 15)});
    return curve;
}

// Ten completed runs whose score is 0.6 times the final train loss.
History completed(int runs = 10) {
    History history;
    for (int i = 0; i < runs; ++i) {
        double floor = 3 + 0.05 * i;
        Trial trial = testing::done("c" + std::to_string(i), 0);
        trial.curve = curve_to(floor);
        trial.score = 0.6 * trial.curve.back().train_loss;
        trial.budget_s = kBudget_s;
        history.trials.push_back(trial);
    }
    return history;
}

TEST(Stopping, StopsAHopelessRunAndSaysWhereItWasHeading) {
    auto verdict = hopeless(completed(), curve_to(4.8, 50), kBudget_s);
    ASSERT_TRUE(verdict);
    EXPECT_NEAR(verdict->expected_score, 0.6 * 4.8, 0.1);
    EXPECT_NE(verdict->reason.find("at 50 %"), std::string::npos) << verdict->reason;
}

TEST(Stopping, NeverStopsThePromisingNorTheMiddling) {
    for (double floor : {2.0, 2.9, 3.0, 3.1, 3.24}) {
        for (int tenth = 1; tenth <= 9; ++tenth)
            EXPECT_FALSE(hopeless(completed(), curve_to(floor, 10.0 * tenth), kBudget_s)) << floor << " " << tenth;
    }
}

TEST(Stopping, GivesALateBloomerTheLargestGainEverSeen) {
    History history = completed();
    // One earlier run was as bad at half time and still became the best.
    Trial bloomer = testing::done("bloomer", 0);
    bloomer.curve = curve_to(4.8, 50);
    for (int i = 26; i <= 50; ++i) bloomer.curve.push_back({2.0 * i, i, 5.02 - (i - 25) * 0.083});
    bloomer.score = 0.6 * bloomer.curve.back().train_loss;
    history.trials.push_back(bloomer);
    EXPECT_FALSE(hopeless(history, curve_to(4.8, 50), kBudget_s));
}

TEST(Stopping, WaitsForEightOwnCompletedRuns) {
    EXPECT_FALSE(hopeless(completed(7), curve_to(5.5, 90), kBudget_s));
    EXPECT_TRUE(hopeless(completed(8), curve_to(5.5, 90), kBudget_s));
    History foreign = completed();
    for (Trial& trial : foreign.trials) trial.own = false;
    EXPECT_FALSE(hopeless(foreign, curve_to(5.5, 90), kBudget_s));
    History stopped = completed();
    for (Trial& trial : stopped.trials) trial.status = RunStatus::stopped;
    EXPECT_FALSE(hopeless(stopped, curve_to(5.5, 90), kBudget_s));
}

TEST(Stopping, LooksOnlyAtFullTenthsOfTheBudget) {
    History history = completed();
    EXPECT_FALSE(hopeless(history, curve_to(5.9, 8), kBudget_s));
    auto at_half = hopeless(history, curve_to(4.8, 50), kBudget_s);
    auto later = hopeless(history, curve_to(4.8, 58), kBudget_s);
    ASSERT_TRUE(at_half && later);
    EXPECT_EQ(at_half->expected_score, later->expected_score);
}

TEST(Stopping, IsNotConfusedByEmptyOrSenselessCurves) {
    History history = completed();
    EXPECT_FALSE(hopeless(history, {}, kBudget_s));
    EXPECT_FALSE(hopeless(history, curve_to(5.5, 50), 0));
    EXPECT_FALSE(hopeless(history, {{10, 1, 0}, {50, 2, -1}}, kBudget_s));
    history.trials[0].curve.clear();
    history.trials[1].curve = {{50, 1, -3}};
    EXPECT_TRUE(hopeless(history, curve_to(5.5, 50), kBudget_s));
}

}  // namespace
}  // namespace cultivar
