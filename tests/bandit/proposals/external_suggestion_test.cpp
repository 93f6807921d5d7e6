#include "bandit/proposals/external_suggestion.h"

#include <gtest/gtest.h>

#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

using testing::add;
using testing::candidate_of;
using testing::done;

class Suggested : public ::testing::Test {
protected:
    Space space_ = testing::model_space();
    History history_;
    std::string parent_, reverted_;

    Suggested() {
        history_.category = "cpu-10s-e11";
        parent_ = add(history_, candidate_of(space_, {{"optim.rate", 0.1}}), {}, true);
        history_.trials.push_back(done(parent_, 3, Decision::kept));
        reverted_ = add(history_, candidate_of(space_, {{"optim.rate", 0.9}}), {parent_});
        history_.trials.push_back(done(reverted_, 9, Decision::reverted));
    }

    PlannerInput input() const { return {&space_, testing::kTask, &history_, 1, {}}; }
    Result<Candidate> child(const std::string& parent, const Genes& changes) const {
        return child_of({parent, changes, ""}, input(), CandidateTable(history_));
    }
    std::string refusal(const std::string& parent, const Genes& changes) const {
        auto made = child(parent, changes);
        return made ? "none: it was taken" : made.error().message;
    }
    // Returns the plan if the proposer gives this answer; its odds are made overwhelming.
    Result<Plan> plan(const Suggester& suggest, std::uint64_t seed = 1) {
        PlannerInput input = this->input();
        input.seed = seed;
        input.external = "proposer:scribe";
        input.suggest = suggest;
        return plan_next(input);
    }
    void let_it_pay() {
        for (int i = 0; i < 30; ++i) {
            auto id = add(history_, candidate_of(space_, {{"optim.rate", 0.2 + 0.01 * i}}), {parent_});
            history_.trials.push_back(done(id, 2.9 - 0.01 * i, Decision::kept));
            history_.trials.back().operator_name = history_.trials.back().proposer = "proposer:scribe";
        }
        // The best was replicated before, so that the next plan is something new.
        for (int i = 1; i <= 3; ++i) {
            history_.trials.push_back(done(history_.candidates.back().candidate.id, 2.61 + 0.0001 * i, Decision::kept));
            history_.trials.back().operator_name = "replicate";
        }
    }
};

TEST_F(Suggested, ChangesTheNamedParentAndNothingElse) {
    auto made = child(parent_.substr(0, 8), {{"model.mlp", std::string("swiglu")}, {"model.width", std::int64_t{256}}});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->genes.at("optim.rate"), Value(0.1));
    EXPECT_EQ(made->genes.at("model.width"), Value(std::int64_t{256}));
}

TEST_F(Suggested, IsRefusedWithTheReason) {
    EXPECT_EQ(refusal(parent_, {}), "it changes nothing");
    EXPECT_EQ(refusal(parent_, {{"optim.rate", 0.1}}), "it changes nothing");
    EXPECT_EQ(refusal("ffffffff", {{"optim.rate", 0.3}}), "it names no candidate: parent 'ffffffff'");
    EXPECT_EQ(refusal("", {{"optim.rate", 0.3}}), "it names no candidate: parent ''");
    EXPECT_EQ(refusal(reverted_, {{"optim.rate", 0.3}}), "its parent " + reverted_.substr(0, 8) + " was not kept here");
    EXPECT_EQ(refusal(parent_, {{"optim.speed", 0.3}}), "it changes no gene: 'optim.speed'");
    EXPECT_NE(refusal(parent_, {{"optim.rate", 30.0}}).find("optim.rate"), std::string::npos);
    EXPECT_NE(refusal(parent_, {{"optim.rate", std::string("fast")}}).find("optim.rate"), std::string::npos);
    EXPECT_EQ(refusal(parent_, {{"optim.momentum", 0.9}}), "'optim.momentum' would not be active");
    EXPECT_NE(
        refusal(parent_, {{"model.heads", std::int64_t{8}}, {"model.width", std::int64_t{72}}}).find("model.width"),
        std::string::npos);
    EXPECT_EQ(refusal(parent_, {{"optim.rate", 0.9}}), reverted_.substr(0, 8) + " is known already");
}

TEST_F(Suggested, OfARejectedParentIsRefused) {
    testing::known(history_, parent_).rejected = true;
    EXPECT_NE(refusal(parent_, {{"optim.rate", 0.3}}).find("names no candidate"), std::string::npos);
}

TEST_F(Suggested, IsPlannedAsItsProposersRunWithItsReason) {
    let_it_pay();
    int proposed = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        auto next = plan(
            [&] {
                return Suggestion{parent_, {{"optim.rate", 0.77}}, "half of the range is empty"};
            },
            seed);
        ASSERT_TRUE(next);
        if (next->operator_name != "proposer:scribe") continue;
        ++proposed;
        EXPECT_EQ(next->parents, std::vector<std::string>{parent_});
        EXPECT_EQ(next->child.genes.at("optim.rate"), Value(0.77));
        EXPECT_NE(next->choice.find("it says: half of the range is empty"), std::string::npos) << next->choice;
        EXPECT_EQ(next->external_refused, "");
    }
    EXPECT_GT(proposed, 5);
}

TEST_F(Suggested, ThatIsOfNoUseCostsTheCallAloneAndIsAskedForOnce) {
    let_it_pay();
    int refused = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        int calls = 0;
        auto next = plan(
            [&]() -> Result<Suggestion> {
                ++calls;
                return fail(Code::unfit, "no answer within 60 s");
            },
            seed);
        ASSERT_TRUE(next);
        EXPECT_NE(next->operator_name, "proposer:scribe");
        EXPECT_LE(calls, 1);
        EXPECT_EQ(next->external_refused, calls > 0 ? "no answer within 60 s" : "");
        EXPECT_EQ(next->choice.starts_with("proposer:scribe gave nothing; "), calls > 0) << next->choice;
        refused += calls;
    }
    EXPECT_GT(refused, 5);
}

}  // namespace
}  // namespace cultivar
