#include "bandit/policy/operator_bandit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/bandit/support/world.h"

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
        history_.trials.back().trusted = own;
    }

    OperatorArm arm(std::string_view name) const {
        CandidateTable candidates(history_);
        auto arms = operator_arms(history_, candidates);
        return *std::ranges::find(arms, name, &OperatorArm::name);
    }

    double selection_probability(std::string_view name) const {
        CandidateTable candidates(history_);
        Random random(1);
        auto selection_probability = selection_probabilities(operator_arms(history_, candidates), random);
        return std::ranges::find(selection_probability, name, &OperatorProbability::name)->selection_probability;
    }

    History history_;

private:
    double best_ = 100;
};

TEST(Operators, BeginWithOddsThatSumToOneAndFavourTuningOverSwitchingOverCrossing) {
    Ledger ledger;
    double sum = 0;
    for (std::string_view name : {kTune, kSwitch, kCross, kImport}) sum += ledger.selection_probability(name);
    EXPECT_NEAR(sum, 1, 1e-9);
    EXPECT_GT(ledger.selection_probability(kTune), ledger.selection_probability(kSwitch));
    EXPECT_GT(ledger.selection_probability(kSwitch), ledger.selection_probability(kCross));
    EXPECT_GT(ledger.selection_probability(kImport), 0.25);
}

TEST(Operators, ShiftToTheOneThatPaysAndRecoverWhenThatChanges) {
    Ledger ledger;
    for (int i = 0; i < 25; ++i) {
        ledger.run(kTune, true);
        ledger.run(kSwitch, false);
    }
    EXPECT_GT(ledger.selection_probability(kTune), 0.7);
    EXPECT_LT(ledger.selection_probability(kSwitch), 0.1);
    for (int i = 0; i < 40; ++i) {
        ledger.run(kTune, false);
        ledger.run(kSwitch, true);
    }
    EXPECT_GT(ledger.selection_probability(kSwitch), 0.5);
    EXPECT_LT(ledger.selection_probability(kTune), 0.2);
}

TEST(Operators, CostWhatTheyCostHereWhateverOthersClaim) {
    Ledger ledger;
    for (int i = 0; i < 10; ++i) {
        ledger.run(kTune, false);
        ledger.run(kSwitch, false);
    }
    for (Trial& trial : ledger.history_.trials) trial.wall_s = 20;
    const double tune = ledger.arm(kTune).cost, switching = ledger.arm(kSwitch).cost;
    ledger.run(kTune, true);
    ledger.history_.trials.back().wall_s = 1e9;
    ledger.history_.trials.back().claimed = true;
    EXPECT_NEAR(ledger.arm(kTune).cost, tune, 1e-9);
    EXPECT_NEAR(ledger.arm(kSwitch).cost, switching, 1e-9);
}

TEST(Operators, OfThisClonesProposerOweNothingForTheCallsThatOthersClaim) {
    Ledger ledger;
    auto outcomes = [&] {
        CandidateTable candidates(ledger.history_);
        const auto arms = operator_arms(ledger.history_, candidates, "agent");
        return *std::ranges::find(arms, std::string_view("agent"), &OperatorArm::name);
    };
    const OperatorArm before = outcomes();
    ledger.run(kTune, true);
    Trial& trial = ledger.history_.trials.back();
    trial.claimed = true, trial.proposer = "agent", trial.proposer_s = 1e6, trial.proposer_usd = 1e6;
    EXPECT_DOUBLE_EQ(outcomes().cost, before.cost);
    EXPECT_DOUBLE_EQ(outcomes().failures, before.failures);
}

TEST(Operators, NeverLoseTheirShareOfTheFloor) {
    Ledger ledger;
    for (int i = 0; i < 100; ++i) {
        ledger.run(kTune, true);
        ledger.run(kCross, false);
    }
    EXPECT_GE(ledger.selection_probability(kCross), 0.025 - 1e-12);
}

TEST(Operators, CountOnlyFirstRunsAndForeignOnesAtHalf) {
    Ledger ledger;
    double before = ledger.arm(kTune).successes;
    ledger.run(kTune, true);
    EXPECT_DOUBLE_EQ(ledger.arm(kTune).successes, before + 1);
    ledger.history_.trials.push_back(ledger.history_.trials.back());  // the same candidate again
    ledger.history_.trials.back().score = 1;
    EXPECT_DOUBLE_EQ(ledger.arm(kTune).successes, before + 1);
    ledger.run(kCross, false, false);
    EXPECT_DOUBLE_EQ(ledger.arm(kCross).failures, 1.3 + 0.5);
}

TEST(Operators, AreNotMovedByAThousandForgedRuns) {
    Ledger ledger;
    for (int i = 0; i < 20; ++i) ledger.run(kTune, i % 2 == 0);
    const OperatorArm tune = ledger.arm(kTune), cross = ledger.arm(kCross);
    for (int i = 0; i < 1000; ++i) ledger.run(kCross, true, false);
    EXPECT_LE(ledger.arm(kCross).successes, cross.successes + 2);
    ledger.history_.trials.push_back(testing::done("mine", 50));  // the best of those that ran here
    ledger.history_.trials.back().operator_name = kTune;
    EXPECT_GT(ledger.arm(kTune).successes, tune.successes) << "forged scores do not raise the bar";
}

TEST(Operators, ChargeAnImportThatDisappointed) {
    Ledger ledger;
    ledger.run(kTune, true);
    double before = ledger.arm(kImport).failures;
    ledger.run(kTune, true, false);
    ledger.history_.trials.push_back(ledger.history_.trials.back());
    ledger.history_.trials.back().trusted = true;
    ledger.history_.trials.back().operator_name = kImport;
    ledger.history_.trials.back().score = 150;
    EXPECT_DOUBLE_EQ(ledger.arm(kImport).failures, before + 1);
}

TEST(Operators, BeginImportsWithAsMuchCreditAsOthersWordIsWorth) {
    Ledger ledger;
    CandidateTable candidates(ledger.history_);
    auto successes = [&](double word) { return operator_arms(ledger.history_, candidates, {}, word)[3].successes; };
    EXPECT_DOUBLE_EQ(successes(1), 1.3);
    EXPECT_LT(successes(0.3), successes(0.8));
    EXPECT_GT(successes(0), 0);
}

TEST(Operators, ForgetAsFastAsTheirOwnHistorySuggests) {
    Ledger steady, fickle, young;
    for (int i = 0; i < 400; ++i) steady.run(i % 2 == 0 ? kTune : kSwitch, i % 2 == 0 || i % 5 == 0);
    for (int i = 0; i < 120; ++i) fickle.run(kTune, i / 12 % 2 == 0);
    for (int i = 0; i < 5; ++i) young.run(kTune, true);
    EXPECT_GT(steady.arm(kTune).fade, 0.95);
    EXPECT_LT(fickle.arm(kTune).fade, 0.95);
    EXPECT_EQ(young.arm(kTune).fade, 0.95);
    EXPECT_GE(fickle.selection_probability(kCross), 0.025 - 1e-12) << "the floor is not learnt";
}

TEST(Operators, ArePaidForANewBestAndNotForStandingStill) {
    Ledger ledger;
    double before = ledger.arm(kSwitch).successes;
    for (double score : {100.0, 100.5}) {
        ledger.run(kSwitch, true);
        ledger.history_.trials.back().score = score;
    }
    EXPECT_LT(ledger.arm(kSwitch).successes, before + 1e-9);
    ledger.run(kSwitch, true);
    ledger.history_.trials.back().score = 99;
    EXPECT_GT(ledger.arm(kSwitch).successes, before);
}

TEST(Operators, ArePaidNothingForRunsThatDiedOrWereStopped) {
    Ledger ledger;
    double before = ledger.arm(kSwitch).failures;
    for (RunStatus status : {RunStatus::unfit, RunStatus::stopped, RunStatus::failed}) {
        ledger.run(kSwitch, true);
        ledger.history_.trials.back().status = status;
    }
    EXPECT_DOUBLE_EQ(ledger.arm(kSwitch).failures, before + 1 + 0.95 + 0.95 * 0.95);
    EXPECT_DOUBLE_EQ(ledger.arm(kSwitch).successes, 0.9);
}

TEST(Operators, GiveTheWorkToTheCheaperOfTwoThatPayAlike) {
    Ledger ledger;
    for (int i = 0; i < 40; ++i) {
        ledger.run(kTune, i % 2 == 0);
        ledger.history_.trials.back().wall_s = 10;
        ledger.run(kSwitch, i % 2 == 0);
        ledger.history_.trials.back().wall_s = 40;
    }
    EXPECT_NEAR(ledger.arm(kTune).cost, 10.0 / 25, 0.1);
    EXPECT_NEAR(ledger.arm(kSwitch).cost, 40.0 / 25, 0.1);
    EXPECT_GT(ledger.selection_probability(kTune), 4 * ledger.selection_probability(kSwitch));
    EXPECT_GE(ledger.selection_probability(kSwitch), 0.025 - 1e-12) << "the floor keeps exploring";
}

TEST(Operators, CostWhatTheirOwnRunsTookAndNeverWhatOthersSay) {
    Ledger ledger;
    ledger.run(kTune, true);
    ledger.history_.trials.back().wall_s = 10;
    ledger.run(kSwitch, true, false);
    ledger.history_.trials.back().wall_s = 1e9;
    EXPECT_DOUBLE_EQ(ledger.arm(kTune).cost, 1);
    EXPECT_DOUBLE_EQ(ledger.arm(kSwitch).cost, 1);
}

// A proposer's runs, each of 100 s plus a call of the given seconds and dollars.
class Proposals : public Ledger {
public:
    void propose(bool pays, double seconds, double usd = 0) {
        run(kExternal, pays);
        call(seconds, usd);
    }
    void refuse(double seconds) {
        run(kTune, false);
        call(seconds, 0);
    }
    void tune(bool pays) {
        run(kTune, pays);
        history_.trials.back().wall_s = 100;
    }
    OperatorArm arm(std::string_view name) const {
        CandidateTable candidates(history_);
        auto arms = operator_arms(history_, candidates, kExternal);
        return *std::ranges::find(arms, name, &OperatorArm::name);
    }
    double selection_probability() const {
        CandidateTable candidates(history_);
        Random random(1);
        auto selection_probability = selection_probabilities(operator_arms(history_, candidates, kExternal), random);
        return std::ranges::find(selection_probability, kExternal, &OperatorProbability::name)->selection_probability;
    }

private:
    void call(double seconds, double usd) {
        Trial& trial = history_.trials.back();
        trial.wall_s = 100;
        trial.proposer = kExternal;
        trial.proposer_s = seconds;
        trial.proposer_usd = usd;
    }
};

TEST(ExternalProposer, IsAnArmOnlyWhereItIsNamedAndBeginsLikeTuning) {
    Ledger ledger;
    CandidateTable candidates(ledger.history_);
    EXPECT_EQ(operator_arms(ledger.history_, candidates).size(), 4U);
    auto arms = operator_arms(ledger.history_, candidates, "proposer:scribe");
    ASSERT_EQ(arms.size(), 5U);
    EXPECT_EQ(arms.back().name, "proposer:scribe");
    EXPECT_DOUBLE_EQ(arms.back().successes, arms.front().successes);
}

TEST(ExternalProposer, TakesTheWorkWhenItPaysAndItsCallsAreCheap) {
    Proposals history;
    for (int i = 0; i < 20; ++i) {
        history.propose(true, 1);
        history.tune(false);
    }
    EXPECT_GT(history.selection_probability(), 0.6);
}

TEST(ExternalProposer, IsChargedItsSecondsAndItsDollars) {
    Proposals slow, dear, cheap;
    for (int i = 0; i < 20; ++i) {
        for (Proposals* history : {&slow, &dear, &cheap}) history->tune(true);
        slow.propose(true, 900);
        dear.propose(true, 0, 900 / kSecondsPerUsd);
        cheap.propose(true, 0);
    }
    EXPECT_GT(slow.arm(kExternal).cost, 5);
    EXPECT_DOUBLE_EQ(slow.arm(kExternal).cost, dear.arm(kExternal).cost);
    EXPECT_NEAR(cheap.arm(kExternal).cost, 1, 1e-9);
    EXPECT_LT(slow.selection_probability(), 0.3 * cheap.selection_probability());
}

TEST(ExternalProposer, LosesItsShareWhenItsAnswersAreOfNoUse) {
    Proposals history;
    const double before = history.selection_probability();
    for (int i = 0; i < 20; ++i) history.refuse(50);
    EXPECT_DOUBLE_EQ(history.arm(kExternal).successes, 1.2);
    EXPECT_GT(history.arm(kExternal).failures, 5);
    EXPECT_LT(history.selection_probability(), 0.5 * before);
    EXPECT_GE(history.selection_probability(), 0.02 - 1e-12);
}

TEST(ExternalProposer, IsNotPaidForARepeatOfItsCandidate) {
    Proposals history;
    history.propose(true, 1);
    const double successes = history.arm(kExternal).successes;
    history.history_.trials.push_back(history.history_.trials.back());
    history.history_.trials.back().operator_name = "replicate";
    history.history_.trials.back().proposer.clear();
    EXPECT_DOUBLE_EQ(history.arm(kExternal).successes, successes);
}

TEST(Operators, LearnNothingFromRejectedCandidates) {
    Ledger ledger;
    Space space = testing::model_space();
    std::string id = testing::add(ledger.history_, testing::candidate_of(space, {{"optim.rate", 0.3}}));
    testing::known(ledger.history_, id).rejected = true;
    double before = ledger.arm(kTune).successes;
    ledger.run(kTune, true);
    ledger.history_.trials.back().candidate = id;
    EXPECT_DOUBLE_EQ(ledger.arm(kTune).successes, before);
}

}  // namespace
}  // namespace cultivar
