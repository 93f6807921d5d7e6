#include "bandit/model/feasibility.h"

#include <gtest/gtest.h>

#include "bandit/space/random.h"
#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

using testing::add;
using testing::candidate_of;
using testing::done;

class Failing : public ::testing::Test {
protected:
    Space space_ = Space::make({testing::real("x", 0, 0, 1), testing::real("y", 0, 0, 1)}, {}).value();
    History history_;
    Random random_{7};

    static Genes at(double x, double y) { return {{"x", x}, {"y", y}}; }
    void run(double x, double y, bool fails) {
        history_.trials.push_back(done(add(history_, candidate_of(space_, at(x, y))), 1));
        if (fails) history_.trials.back().status = RunStatus::failed;
    }
    double failure(double x, double y) const { return Feasibility(space_, CandidateTable(history_)).failure(at(x, y)); }
};

TEST_F(Failing, IsNoMatterWhereNothingFailed) {
    run(0.2, 0.2, false);
    EXPECT_EQ(failure(0.9, 0.9), 0);
}

TEST_F(Failing, ByChanceSaysLittleOfAnyPlace) {
    for (int i = 0; i < 40; ++i) run(random_.uniform(), random_.uniform(), i % 5 == 0);
    const KnownCandidate& crashed = history_.candidates[10];
    const double there = Feasibility(space_, CandidateTable(history_)).failure(crashed.candidate.genes);
    EXPECT_LT(there, 0.5);
    EXPECT_NEAR(failure(0.5, 0.5), 0.2, 0.15);
}

TEST_F(Failing, BeyondABoundOfOneGeneIsLearntFromAFewRuns) {
    for (int i = 0; i < 12; ++i) {
        const double x = (i + 0.5) / 12;
        run(x, random_.uniform(), x > 0.7);
    }
    EXPECT_GT(failure(0.9, 0.1), 0.8);
    EXPECT_LT(failure(0.4, 0.1), 0.2);
}

TEST_F(Failing, OnceAmongNoOtherRunsIsNoProof) {
    run(0.2, 0.2, false);
    run(0.8, 0.8, true);
    EXPECT_LT(failure(0.75, 0.75), 0.9);
}

}  // namespace
}  // namespace cultivar
