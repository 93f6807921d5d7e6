#include "train/protocol/replay_spec.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/types/candidate.h"
#include "train/lm/space/lm_search_space.h"

namespace cultivar {
namespace {

class ReplaySpecification : public testing::Test {
protected:
    ReplaySpecification() {
        const Candidate candidate = make_candidate(space_, task_, {{"model.layers", std::int64_t{4}}}).value();
        run_.task = task_;
        run_.candidate = candidate.id;
        run_.toml = candidate.toml;
        run_.seed = 77;
        run_.budget_s = 600;
        run_.trace_elapsed_s = {0, 1.25, 2.5};
        run_.trace_loss = {6.9, 6.5, 6.25};
        base_.threads = 3;
        base_.train_shards = {"train.bin"};
        base_.vocabulary = 1024;
        base_.work_dir = "work";
    }

    std::string task_ = std::string(64, '7');
    Space space_ = Space::make(lm_genes(), lm_constraints()).value();
    cultivar::Run run_;
    Specification base_;
};

TEST_F(ReplaySpecification, HasTheGenesSeedBudgetAndClockOfTheRecord) {
    const auto made = replay_specification(space_, run_, base_);
    ASSERT_TRUE(made) << made.error().message;
    const auto told = parse_specification(to_json(*made));
    ASSERT_TRUE(told) << told.error().message;
    EXPECT_EQ(told->mode, Specification::Mode::replay);
    EXPECT_EQ(told->genes.at("model.layers"), Value(std::int64_t{4}));
    EXPECT_EQ(told->genes.size(), space_.genes().size());
    EXPECT_EQ(told->seed, 77U);
    EXPECT_EQ(told->budget_s, 600);
    EXPECT_EQ(told->clock, run_.trace_elapsed_s);
    EXPECT_EQ(told->threads, 3);
    EXPECT_EQ(told->train_shards, base_.train_shards);
}

TEST_F(ReplaySpecification, RefusesATraceThatNoClockCouldShow) {
    for (const std::vector<double>& readings_s : std::vector<std::vector<double>>{{}, {1, 2, 3}, {0, 2, 1}, {0, 1}}) {
        run_.trace_elapsed_s = readings_s;
        const auto made = replay_specification(space_, run_, base_);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, Code::corrupt);
    }
}

TEST_F(ReplaySpecification, RefusesACandidateThatIsNotOfTheSpace) {
    run_.toml = "model.wings = 2\n";
    const auto made = replay_specification(space_, run_, base_);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::corrupt);
}

TEST(TraceDeviation, IsTheLargestRelativeDifference) {
    const std::vector<double> recorded{4, 2, 1}, replayed{4.04, 1.9, 1};
    EXPECT_NEAR(trace_deviation(recorded, replayed), 0.05, 1e-12);
    EXPECT_NEAR(trace_deviation(recorded, std::span(replayed).first(1)), 0.01, 1e-12);
    EXPECT_EQ(trace_deviation(recorded, recorded), 0);
    EXPECT_TRUE(std::isinf(trace_deviation(recorded, {})));
}

}  // namespace
}  // namespace cultivar
