#include "bandit/operators.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/bandit/world.h"

namespace cultivar {
namespace {

// A history in which an operator's new candidates either lead the pool or trail it.
class Ledger {
public:
    Ledger() { history_.trials.push_back(testing::done("seed", 100)); }

    void run(std::string_view operator_name, bool pays, bool own = true) {
        double score = pays ? best_ -= 1 : 200;
        history_.trials.push_back(testing::done("c" + std::to_string(history_.trials.size()), score));
        history_.trials.back().operator_name = operator_name;
        history_.trials.back().own = own;
    }

    OperatorArm arm(std::string_view name) const {
        Contenders contenders(history_);
        auto arms = operator_arms(history_, contenders);
        return *std::ranges::find(arms, name, &OperatorArm::name);
    }

    double odds(std::string_view name) const {
        Contenders contenders(history_);
        Random random(1);
        auto odds = operator_odds(operator_arms(history_, contenders), random);
        return std::ranges::find(odds, name, &OperatorOdds::name)->odds;
    }

    History history_;

private:
    double best_ = 100;
};

TEST(Operators, BeginWithOddsThatSumToOneAndFavourTuningOverSwitchingOverCrossing) {
    Ledger ledger;
    double sum = 0;
    for (std::string_view name : {kTune, kSwitch, kCross, kImport}) sum += ledger.odds(name);
    EXPECT_NEAR(sum, 1, 1e-9);
    EXPECT_GT(ledger.odds(kTune), ledger.odds(kSwitch));
    EXPECT_GT(ledger.odds(kSwitch), ledger.odds(kCross));
    EXPECT_GT(ledger.odds(kImport), 0.25);
}

TEST(Operators, ShiftToTheOneThatPaysAndRecoverWhenThatChanges) {
    Ledger ledger;
    for (int i = 0; i < 25; ++i) {
        ledger.run(kTune, true);
        ledger.run(kSwitch, false);
    }
    EXPECT_GT(ledger.odds(kTune), 0.7);
    EXPECT_LT(ledger.odds(kSwitch), 0.1);
    for (int i = 0; i < 40; ++i) {
        ledger.run(kTune, false);
        ledger.run(kSwitch, true);
    }
    EXPECT_GT(ledger.odds(kSwitch), 0.5);
    EXPECT_LT(ledger.odds(kTune), 0.2);
}

TEST(Operators, NeverLoseTheirShareOfTheFloor) {
    Ledger ledger;
    for (int i = 0; i < 100; ++i) {
        ledger.run(kTune, true);
        ledger.run(kCross, false);
    }
    EXPECT_GE(ledger.odds(kCross), 0.025 - 1e-12);
}

TEST(Operators, CountOnlyFirstRunsAndForeignOnesAtHalf) {
    Ledger ledger;
    double before = ledger.arm(kTune).paid;
    ledger.run(kTune, true);
    EXPECT_DOUBLE_EQ(ledger.arm(kTune).paid, before + 1);
    ledger.history_.trials.push_back(ledger.history_.trials.back());  // the same candidate again
    ledger.history_.trials.back().score = 1;
    EXPECT_DOUBLE_EQ(ledger.arm(kTune).paid, before + 1);
    ledger.run(kCross, false, false);
    EXPECT_DOUBLE_EQ(ledger.arm(kCross).unpaid, 1.3 + 0.5);
}

TEST(Operators, ArePaidNothingForRunsThatDiedOrWereStopped) {
    Ledger ledger;
    double before = ledger.arm(kSwitch).unpaid;
    for (RunStatus status : {RunStatus::unfit, RunStatus::stopped, RunStatus::failed}) {
        ledger.run(kSwitch, true);
        ledger.history_.trials.back().status = status;
    }
    EXPECT_DOUBLE_EQ(ledger.arm(kSwitch).unpaid, before + 1 + 0.95 + 0.95 * 0.95);
    EXPECT_DOUBLE_EQ(ledger.arm(kSwitch).paid, 0.9);
}

TEST(Operators, LearnNothingFromRejectedCandidates) {
    Ledger ledger;
    Space space = testing::model_space();
    std::string id = testing::add(ledger.history_, testing::candidate_of(space, {{"optim.rate", 0.3}}));
    testing::known(ledger.history_, id).rejected = true;
    double before = ledger.arm(kTune).paid;
    ledger.run(kTune, true);
    ledger.history_.trials.back().candidate = id;
    EXPECT_DOUBLE_EQ(ledger.arm(kTune).paid, before);
}

}  // namespace
}  // namespace cultivar
