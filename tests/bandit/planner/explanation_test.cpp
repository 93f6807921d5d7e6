#include "bandit/planner/explanation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bandit/planner/planner.h"
#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

using testing::add;
using testing::candidate_of;
using testing::done;

// A history of two seeds, a child of each, and a cross of the children.
class Explained : public ::testing::Test {
protected:
    Space space_ = testing::model_space();
    History history_;
    std::string first_ = root(0.1), second_ = root(0.2);
    std::string left_ = child({first_}, 0.3, "tune"), right_ = child({second_}, 0.4, "tune");
    std::string cross_ = child({left_, right_}, 0.5, "cross");

    std::string root(double rate) {
        auto id = add(history_, candidate_of(space_, {{"optim.rate", rate}}), {}, true);
        record(id, "seed", 3 - rate, {});
        return id;
    }
    std::string child(const std::vector<std::string>& parents, double rate, const std::string& operator_name) {
        auto id = add(history_, candidate_of(space_, {{"optim.rate", rate}}), parents);
        record(id, operator_name, 3 - rate, parents);
        return id;
    }
    void record(const std::string& id, const std::string& operator_name, double score,
                const std::vector<std::string>& parents) {
        history_.trials.push_back(done(id, score, Decision::kept));
        history_.trials.back().operator_name = operator_name;
        history_.trials.back().parents = parents;
    }
    Explanation explained(std::uint64_t seed = 1) const {
        CandidateTable candidates(history_);
        return explain(history_, candidates, operator_arms(history_, candidates), {}, seed);
    }
};

TEST_F(Explained, SharesOfOperatorsAndFamiliesAddUpToAllRuns) {
    Explanation why = explained();
    double operators = 0, families = 0, selection_probability = 0;
    for (const OperatorValue& one : why.operators)
        operators += one.share, selection_probability += one.selection_probability;
    for (const Family& one : why.families) families += one.share;
    EXPECT_NEAR(operators, 1, 1e-9);
    EXPECT_NEAR(families, 1, 1e-9);
    EXPECT_NEAR(selection_probability, 1, 1e-9);
}

TEST_F(Explained, ACrossBelongsHalfToEachFamilyAndHalfToEachParent) {
    Explanation why = explained();
    ASSERT_EQ(why.families.size(), 2U);
    EXPECT_NEAR(why.families[0].share, 2.5 / 5, 1e-9);
    EXPECT_EQ(why.families[0].candidates, 3);
    auto left = std::ranges::find(why.parents, left_, &ParentValue::candidate);
    ASSERT_NE(left, why.parents.end());
    EXPECT_NEAR(left->share, 0.5 / 5, 1e-9);
    auto first = std::ranges::find(why.parents, first_, &ParentValue::candidate);
    EXPECT_NEAR(first->share, 2.0 / 5, 1e-9) << "its own run and its child's";
}

TEST_F(Explained, ParentsHaveTheirOddsOfTheHighestDrawBestMeanFirst) {
    Explanation why = explained();
    ASSERT_EQ(why.parents.size(), 5U);
    EXPECT_EQ(why.parents.front().candidate, cross_);
    EXPECT_EQ(why.parents.front().level, 1);
    double selection_probability = 0;
    for (const ParentValue& one : why.parents) selection_probability += one.selection_probability;
    EXPECT_NEAR(selection_probability, 1, 1e-9);
    EXPECT_GT(why.parents.front().selection_probability, why.parents.back().selection_probability);
}

TEST_F(Explained, IsTheSameForTheSameSeedAndAsksNothingOfThePlan) {
    EXPECT_EQ(explained(7).parents.front().selection_probability, explained(7).parents.front().selection_probability);
    PlannerInput input{&space_, testing::kTask, &history_, 5, testing::mixing_crosser(space_, history_)};
    auto plain = plan_next(input);
    input.explain = true;
    auto with = plan_next(input);
    ASSERT_TRUE(plain && with);
    EXPECT_EQ(plain->child.id, with->child.id);
    EXPECT_EQ(plain->choice, with->choice);
    EXPECT_FALSE(plain->why);
    ASSERT_TRUE(with->why);
    if (with->operator_name != "replicate") {
        auto chosen = std::ranges::find(with->why->operators, with->operator_name, &OperatorValue::name);
        ASSERT_NE(chosen, with->why->operators.end());
        EXPECT_GT(chosen->selection_probability, 0);
    }
}

TEST_F(Explained, AFamilyThatGoesRoundInACircleEnds) {
    testing::known(history_, first_).parents = {left_};
    double families = 0;
    for (const Family& one : explained().families) families += one.share;
    EXPECT_NEAR(families, 1, 1e-9);
}

TEST(Explanation, OfAnEmptyHistoryHasArmsAndNothingElse) {
    History history;
    CandidateTable candidates(history);
    Explanation why = explain(history, candidates, operator_arms(history, candidates), {}, 1);
    EXPECT_EQ(why.operators.size(), 4U);
    EXPECT_TRUE(why.parents.empty());
    EXPECT_TRUE(why.families.empty());
}

TEST_F(Explained, SaysWhyTheBoldestClaimsOfOthersAreNoParents) {
    for (int i = 0; i < 12; ++i) {
        auto id = add(history_, candidate_of(space_, {{"optim.rate", 0.6 + 0.01 * i}}), {first_});
        history_.trials.push_back(done(id, 1 + 0.1 * i, Decision::kept));
        history_.trials.back().trusted = false;
        history_.trials.back().writer = "mallory";
        if (i == 0) record(id, "import", 4, {first_});
        if (i == 0) history_.trials.back().decision = Decision::reverted;
    }
    Explanation why = explained();
    ASSERT_EQ(why.outsiders.size(), 10U);
    EXPECT_EQ(why.outsiders[0].claimed, 1);
    EXPECT_EQ(why.outsiders[0].writer, "mallory");
    EXPECT_EQ(why.outsiders[0].here, 4);
    EXPECT_EQ(why.outsiders[0].standing, "run here first, and not kept");
    EXPECT_EQ(why.outsiders[1].here, std::nullopt);
    EXPECT_NE(why.outsiders[1].standing.find("not run here yet"), std::string::npos);
}

TEST_F(Explained, OfAPlanNamesTheSourcesItHeardAndTheirWeights) {
    for (int i = 0; i < 6; ++i) {
        Trial trial = done(history_.candidates[static_cast<std::size_t>(i % 5)].candidate.id, 7 + i);
        trial.trusted = false;
        trial.writer = "ann";
        trial.category = "elsewhere";
        history_.elsewhere.push_back(trial);
    }
    PlannerInput input{&space_, testing::kTask, &history_, 1, {}};
    input.explain = true;
    auto plan = plan_next(input);
    ASSERT_TRUE(plan);
    ASSERT_EQ(plan->why->sources.size(), 1U);
    const HintSourceValue& source = plan->why->sources[0];
    EXPECT_EQ(source.writer, "ann");
    EXPECT_EQ(source.category, "elsewhere");
    EXPECT_EQ(source.results, 5);
    EXPECT_EQ(source.shared, 5);
    EXPECT_TRUE(std::isfinite(source.weight));
}

}  // namespace
}  // namespace cultivar
