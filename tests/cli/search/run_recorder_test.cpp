#include "cli/search/run_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/sync/artifact_store.h"
#include "pool/util/sha256.h"
#include "tests/cli/support/search_world.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

RunResult result(SearchWorld& world, const Genes& changes, double val_loss, std::vector<std::string> parents = {}) {
    RunResult result;
    result.run = run_by(world.clone(), changes, val_loss);
    result.run.decision = Decision::none;
    result.run.reason = "";
    result.run.parents = std::move(parents);
    result.weights = "weights of " + result.run.candidate;
    result.run.artifact = sha256_hex(*result.weights);
    return result;
}

bool has_weights(SearchWorld& world, const Run& run) {
    return load_artifact(world.clone(), nullptr, run.artifact).has_value();
}

TEST(Recording, GivesAKeptRunItsBranchAndItsWeights) {
    SearchWorld world;
    const ExploredRun kept = must(record_run(world.session, world.clock, result(world, {}, 3)));
    EXPECT_EQ(kept.run.decision, Decision::kept);
    EXPECT_THAT(kept.run.reason, HasSubstr("no parents"));
    EXPECT_TRUE(world.has_branch(kept.run.candidate));
    EXPECT_TRUE(has_weights(world, kept.run));
    ASSERT_EQ(world.runs().size(), 1U);
    EXPECT_EQ(world.runs()[0].id, kept.id);
}

TEST(Recording, GivesARevertedRunNeither) {
    SearchWorld world;
    const ExploredRun parent = must(record_run(world.session, world.clock, result(world, {}, 3)));
    const ExploredRun child = must(
        record_run(world.session, world.clock, result(world, {{"model.layers", whole(5)}}, 4, {parent.run.candidate})));
    EXPECT_EQ(child.run.decision, Decision::reverted);
    EXPECT_FALSE(world.has_branch(child.run.candidate));
    EXPECT_FALSE(has_weights(world, child.run));
    EXPECT_EQ(world.runs().size(), 2U);
}

TEST(Recording, KeepsTheWeightsOfAnUndecidedRun) {
    SearchWorld world;
    const ExploredRun parent = must(record_run(world.session, world.clock, result(world, {}, 3)));
    const ExploredRun child = must(record_run(
        world.session, world.clock, result(world, {{"model.layers", whole(5)}}, 2.999, {parent.run.candidate})));
    EXPECT_EQ(child.run.decision, Decision::undecided);
    EXPECT_FALSE(world.has_branch(child.run.candidate));
    EXPECT_TRUE(has_weights(world, child.run));
}

TEST(Recording, JudgesNoFailedRun) {
    SearchWorld world;
    RunResult failed = result(world, {}, 3);
    failed.run.status = RunStatus::failed;
    failed.run.reason = "diverged";
    failed.run.val_bpb.reset();
    failed.weights.reset();
    const ExploredRun recorded = must(record_run(world.session, world.clock, std::move(failed)));
    EXPECT_EQ(recorded.run.decision, Decision::none);
    EXPECT_EQ(recorded.run.reason, "diverged");
}

TEST(Recording, JudgesByTheHistoryThatItIsGiven) {
    SearchWorld world;
    PlanningHistory now = must(planning_history(world.session, world.clock, "cpu-20s-e10.5"));
    const Candidate parent = candidate_of({{"model.layers", whole(6)}});
    now.history.candidates.push_back({.candidate = parent, .parents = {}});
    Trial better;
    better.candidate = parent.id;
    better.score = 0.1;
    now.history.trials.push_back(better);
    std::optional<PlanningHistory> given(std::move(now));
    const ExploredRun recorded = must(record_run(world.session, world.clock, result(world, {}, 3, {parent.id}), given));
    EXPECT_EQ(recorded.run.decision, Decision::reverted);
}

}  // namespace
}  // namespace cultivar
