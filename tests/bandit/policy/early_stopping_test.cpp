#include "bandit/policy/early_stopping.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

constexpr double kBudget_s = 100;

// A loss that falls from 6 towards `floor`; points every 2 s.
std::vector<CurvePoint> curve_to(double floor, double until_s = kBudget_s) {
    std::vector<CurvePoint> curve;
    for (int i = 1; 2 * i <= until_s; ++i) curve.push_back({2.0 * i, i, floor + (6 - floor) * std::exp(-2.0 * i / 15)});
    return curve;
}

// Completed runs with a score of 0.6 times the final train loss: good ones, and a bad one last.
History completed(int runs = 11) {
    History history;
    for (int i = 0; i < runs; ++i) {
        Trial trial = testing::done("c" + std::to_string(i), 0);
        trial.curve = curve_to(i + 1 < runs ? 3 + 0.05 * i : 5.6);
        trial.score = 0.6 * trial.curve.back().train_loss;
        trial.budget_s = kBudget_s;
        history.trials.push_back(trial);
    }
    return history;
}

// A run that is as bad as a hopeless one at half time, and the best in the end.
Trial bloomer() {
    Trial trial = testing::done("bloomer", 0);
    trial.curve = curve_to(4.8, 50);
    for (int i = 26; i <= 50; ++i) trial.curve.push_back({2.0 * i, i, 5.02 - (i - 25) * 0.083});
    trial.score = 0.6 * trial.curve.back().train_loss;
    return trial;
}

std::optional<StopDecision> judged(const History& history, const std::vector<CurvePoint>& curve,
                                   double budget_s = kBudget_s) {
    return StoppingRule(history, budget_s).hopeless("candidate", curve);
}

TEST(Stopping, StopsAHopelessRunAndSaysWhereItWasHeading) {
    auto verdict = judged(completed(), curve_to(4.8, 50));
    ASSERT_TRUE(verdict);
    EXPECT_NEAR(verdict->expected_score, 0.6 * 4.8, 0.1);
    EXPECT_NE(verdict->reason.find("at 50 %"), std::string::npos) << verdict->reason;
}

TEST(Stopping, LearnsNothingFromTheCurvesThatOthersClaim) {
    History history = completed();
    const auto curve = curve_to(3.24, 50);
    ASSERT_FALSE(judged(history, curve));
    for (int i = 0; i < 3; ++i) {
        Trial record = testing::done("record" + std::to_string(i), 0.1);
        record.curve = {{2, 1, 1e-5}, {50, 25, 1e-5}, {100, 50, 1e-5}};
        record.claimed = true;
        history.trials.push_back(std::move(record));
    }
    EXPECT_FALSE(judged(history, curve));
    EXPECT_DOUBLE_EQ(StoppingRule(history, kBudget_s).optimism(), 1 + kStoppingMargin / 11);
    history = completed(5);
    for (Trial& trial : history.trials) trial.claimed = true;
    for (const Trial& trial : completed(5).trials) history.trials.push_back(trial);
    EXPECT_FALSE(judged(history, curve_to(4.8, 50))) << "five runs of its own are too few";
}

TEST(Stopping, NeverStopsThePromisingNorTheMiddling) {
    for (double floor : {2.0, 2.9, 3.0, 3.1, 3.24}) {
        for (int twentieth = 1; twentieth <= 19; ++twentieth)
            EXPECT_FALSE(judged(completed(), curve_to(floor, 5.0 * twentieth))) << floor << " " << twentieth;
    }
}

TEST(Stopping, LetsRunWhatIsWorseThanAnyRunSeenToItsEnd) {
    EXPECT_TRUE(judged(completed(), curve_to(5.5, 50)));
    EXPECT_FALSE(judged(completed(), curve_to(5.7, 50)));
}

TEST(Stopping, GivesALateBloomerTheLargestGainEverSeen) {
    History history = completed();
    history.trials.push_back(bloomer());
    EXPECT_FALSE(judged(history, curve_to(4.8, 50)));
}

TEST(Stopping, HopesForMoreWhereGoodRunsWereUnderestimated) {
    History history = completed();
    EXPECT_DOUBLE_EQ(StoppingRule(history, kBudget_s).optimism(), 1 + kStoppingMargin / 11);
    history.trials.push_back(bloomer());
    EXPECT_GT(StoppingRule(history, kBudget_s).optimism(), 2);
    // The end of a poor run teaches nothing: it need not have been spared.
    history.trials.back().score = 9;
    EXPECT_DOUBLE_EQ(StoppingRule(history, kBudget_s).optimism(), 1 + kStoppingMargin / 12);
}

TEST(Stopping, TrustsManyRunsMoreThanFew) {
    EXPECT_GT(StoppingRule(completed(8), kBudget_s).optimism(), StoppingRule(completed(80), kBudget_s).optimism());
}

TEST(Stopping, NeverStopsAFewCandidatesSoThatItGoesOnLearning) {
    StoppingRule rule(completed(), kBudget_s);
    int spared = 0;
    for (int i = 0; i < 5000; ++i) spared += !rule.hopeless(std::to_string(i), curve_to(4.8, 50));
    EXPECT_GT(spared, 60);
    EXPECT_LT(spared, 140);
}

TEST(Stopping, WaitsForSixOwnCompletedRuns) {
    EXPECT_FALSE(judged(completed(5), curve_to(5.5, 90)));
    EXPECT_TRUE(judged(completed(6), curve_to(5.5, 90)));
    History foreign = completed();
    for (Trial& trial : foreign.trials) trial.trusted = false;
    EXPECT_FALSE(judged(foreign, curve_to(5.5, 90)));
    History stopped = completed();
    for (Trial& trial : stopped.trials) trial.status = RunStatus::stopped;
    EXPECT_FALSE(judged(stopped, curve_to(5.5, 90)));
}

TEST(Stopping, LooksOnlyAtFullTwentiethsOfTheBudgetFromATenthOn) {
    History history = completed();
    EXPECT_FALSE(judged(history, curve_to(5.5, 8)));
    EXPECT_TRUE(judged(history, curve_to(5.5, 10)));
    auto at_half = judged(history, curve_to(4.8, 50));
    auto later = judged(history, curve_to(4.8, 54));
    auto next = judged(history, curve_to(4.8, 56));
    ASSERT_TRUE(at_half && later && next);
    EXPECT_EQ(at_half->reason, later->reason);
    EXPECT_NE(at_half->reason, next->reason);
}

TEST(Stopping, IsNotConfusedByEmptyOrSenselessCurves) {
    History history = completed();
    EXPECT_FALSE(judged(history, {}));
    EXPECT_FALSE(judged(history, curve_to(5.5, 50), 0));
    EXPECT_FALSE(judged(history, {{10, 1, 0}, {50, 2, -1}}));
    history.trials[0].curve.clear();
    history.trials[1].curve = {{50, 1, -3}};
    EXPECT_TRUE(judged(history, curve_to(5.5, 50)));
}

}  // namespace
}  // namespace cultivar
