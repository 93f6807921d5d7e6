#include "bandit/proposals/mutation.h"

#include <gtest/gtest.h>

#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

using testing::add;
using testing::done;

class Mutate : public ::testing::Test {
protected:
    Space space_ = testing::model_space();
    History history_;
    Genes base_ = testing::candidate_of(space_, {}).genes;

    Experience experience() const { return {space_, CandidateTable(history_)}; }
    std::size_t index(std::string_view name) const {
        return static_cast<std::size_t>(space_.find(name) - space_.genes().data());
    }
};

TEST_F(Mutate, ChangesGenesOfItsKindKeepsConstraintsAndLeavesInactiveGenesAlone) {
    Random random(1);
    Experience none = experience();
    for (GeneKind kind : {GeneKind::plain, GeneKind::structural}) {
        int mutated = 0;
        for (int i = 0; i < 500; ++i) {
            auto child = mutate(space_, base_, kind, none, 0, random);
            if (!child) continue;
            ++mutated;
            ASSERT_TRUE(space_.check(*child));
            EXPECT_EQ(child->at("optim.momentum"), base_.at("optim.momentum"));  // inactive with adam
            bool moved = false;
            for (const Gene& gene : space_.genes()) {
                bool of_kind = gene.structural == (kind == GeneKind::structural);
                bool changed = child->at(gene.name) != base_.at(gene.name);
                moved |= of_kind && changed;
                EXPECT_FALSE(!of_kind && changed) << gene.name;
            }
            EXPECT_TRUE(moved);
        }
        EXPECT_GT(mutated, 450);
    }
}

TEST_F(Mutate, MovesACoherentPairWhereAConstraintDemandsIt) {
    Random random(2);
    Experience none = experience();
    int pairs = 0;
    for (int i = 0; i < 300; ++i) {
        auto child = mutate(space_, base_, GeneKind::structural, none, 0, random);
        pairs += child && child->at("model.width") != base_.at("model.width") &&
                 child->at("model.heads") != base_.at("model.heads");
    }
    EXPECT_GT(pairs, 30);
}

TEST_F(Mutate, HasNothingToDoWhereNoGeneCanMove) {
    auto space = Space::make({testing::whole("only", 3, 3, 3)}, {});
    ASSERT_TRUE(space);
    Random random(3);
    Experience none(*space, CandidateTable(history_));
    EXPECT_FALSE(mutate(*space, *space->complete({}), GeneKind::plain, none, 0, random));
    EXPECT_FALSE(mutate(*space, *space->complete({}), GeneKind::structural, none, 0, random));
}

TEST_F(Mutate, HalvesOrDoublesNearTheLowEndOfALinearRange) {
    auto space = Space::make({testing::whole("warmdown", 1200, 0, 20000)}, {});
    ASSERT_TRUE(space);
    Random random(4);
    Experience none(*space, CandidateTable(history_));
    for (int i = 0; i < 200; ++i) {
        auto child = mutate(*space, *space->complete({}), GeneKind::plain, none, 0, random);
        ASSERT_TRUE(child);
        auto steps = std::get<std::int64_t>(child->at("warmdown"));
        EXPECT_TRUE(steps <= 849 || steps >= 1697) << steps;  // a factor of sqrt(2) at least
        EXPECT_GT(steps, 1200 / 64);
    }
}

TEST_F(Mutate, LearnsWhichStepsPayAndTheirDirection) {
    std::string root = add(history_, testing::candidate_of(space_, {}));
    history_.trials.push_back(done(root, 3, Decision::kept));
    std::string up = add(history_, testing::candidate_of(space_, {{"optim.rate", 0.08}}), {root});
    history_.trials.push_back(done(up, 2.5, Decision::kept));
    std::string down = add(history_, testing::candidate_of(space_, {{"data.tokens", std::int64_t{8192}}}), {root});
    history_.trials.push_back(done(down, 3.5, Decision::reverted));
    std::string open = add(history_, testing::candidate_of(space_, {{"optim.kind", std::string("muon")}}), {root});
    history_.trials.push_back(done(open, 2.9, Decision::undecided));
    Experience learnt = experience();
    EXPECT_DOUBLE_EQ(learnt.weight(index("optim.rate"), 1), 0.75);
    EXPECT_DOUBLE_EQ(learnt.weight(index("optim.rate"), -1), 0.5);
    EXPECT_DOUBLE_EQ(learnt.weight(index("data.tokens"), -1), 4 * 0.25);
    EXPECT_DOUBLE_EQ(learnt.weight(index("data.tokens"), 1), 4 * 0.5);
    EXPECT_DOUBLE_EQ(learnt.weight(index("optim.kind"), 0), 0.5);
}

TEST_F(Mutate, CountsRunsThatDoNotFitAgainstTheirStepAndForeignOnesHalf) {
    std::string root = add(history_, testing::candidate_of(space_, {}));
    std::string wide = add(history_, testing::candidate_of(space_, {{"model.width", std::int64_t{512}}}), {root});
    history_.trials.push_back(done(wide, 0));
    history_.trials.back().status = RunStatus::unfit;
    std::string rate = add(history_, testing::candidate_of(space_, {{"optim.rate", 0.08}}), {root});
    history_.trials.push_back(done(rate, 2.5, Decision::kept));
    history_.trials.back().trusted = false;
    Experience learnt = experience();
    EXPECT_DOUBLE_EQ(learnt.weight(index("model.width"), 1), 4 * 0.25);
    EXPECT_DOUBLE_EQ(learnt.weight(index("optim.rate"), 1), 1.0 / 1.5);
}

TEST_F(Mutate, IsNotSteeredByAThousandForgedSteps) {
    std::string root = add(history_, testing::candidate_of(space_, {}));
    for (int i = 1; i <= 1000; ++i) {
        auto id = add(history_, testing::candidate_of(space_, {{"optim.rate", 0.04 - 1e-5 * i}}), {root});
        history_.trials.push_back(done(id, 2.5, Decision::reverted));
        history_.trials.back().trusted = false;
    }
    EXPECT_GE(experience().weight(index("optim.rate"), -1), 0.5 / 3 - 1e-9);
}

TEST_F(Mutate, FollowsAStepInItsDirection) {
    Random random(5);
    Genes before = base_;
    before.at("optim.rate") = 0.02;
    for (int i = 0; i < 50; ++i) {
        auto child = follow(space_, before, base_, GeneKind::plain, random);
        ASSERT_TRUE(child);
        double rate = std::get<double>(child->at("optim.rate"));
        EXPECT_GE(rate, 0.04 * 1.4);
        EXPECT_LE(rate, 0.04 * 2.84);
        EXPECT_EQ(child->at("data.tokens"), base_.at("data.tokens"));
    }
    EXPECT_FALSE(follow(space_, before, base_, GeneKind::structural, random));
    EXPECT_FALSE(follow(space_, base_, base_, GeneKind::plain, random));
}

TEST_F(Mutate, CutsWhatIsCountedInStepsToTheStepsThatTheBudgetAllows) {
    Gene warmdown;
    warmdown.name = "schedule.warmdown";
    warmdown.type = GeneType::integer;
    warmdown.default_value = std::int64_t{1200};
    warmdown.low = 1;
    warmdown.high = 20000;
    warmdown.log_scale = true;
    warmdown.unit = "steps";
    Gene rate;
    rate.name = "rate";
    rate.default_value = 0.5;
    rate.high = 1;
    auto space = Space::make({warmdown, rate}, {});
    ASSERT_TRUE(space);
    Genes base = *space->complete({});
    History history;
    Experience none(*space, CandidateTable(history));
    Random random(6);
    int cut = 0;
    for (int i = 0; i < 100; ++i) {
        auto child = mutate(*space, base, GeneKind::plain, none, 40, random);
        ASSERT_TRUE(child);
        auto value = std::get<std::int64_t>(child->at("schedule.warmdown"));
        if (value == 1200) continue;
        ++cut;
        EXPECT_GE(value, 8);
        EXPECT_LE(value, 40);
    }
    EXPECT_GT(cut, 80);                               // the gene beyond reach comes first
    base.at("schedule.warmdown") = std::int64_t{30};  // it takes effect: an ordinary gene again
    bool longer = false;
    for (int i = 0; i < 100; ++i) {
        auto child = mutate(*space, base, GeneKind::plain, none, 40, random);
        ASSERT_TRUE(child);
        longer = longer || std::get<std::int64_t>(child->at("schedule.warmdown")) > 40;
    }
    EXPECT_TRUE(longer);
}

}  // namespace
}  // namespace cultivar
