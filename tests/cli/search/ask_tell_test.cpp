#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/runs/machine_category.h"
#include "cli/search/ask_run.h"
#include "cli/search/tell_run.h"
#include "cli/session/lifted_failures.h"
#include "tests/cli/support/search_world.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

class Telling : public ::testing::Test {
protected:
    LeasedRun ask() {
        PlanOptions options;
        options.category = kFakeCategory;
        options.budget_s = 20;
        return must(ask_run(world_.session, world_.observer, world_.clock, options));
    }
    Result<ToldRun> tell(const LeasedRun& ask, const ToldResult& told) {
        return tell_run(world_.session, world_.worker, world_.observer, world_.clock, ask.planned.child.id, told);
    }
    // Weights that the fake worker scores with 3 nats a token.
    ToldResult scored(double margin = 0) {
        world_.worker.val_loss = 3;
        ToldResult told;
        told.score = *scored_run(tiny_task(), "", {}, 3).val_bpb + margin;
        told.artifact = world_.world.folder().write("model.bin", "weights");
        told.steps = 100;
        return told;
    }

    SearchWorld world_;
};

TEST_F(Telling, RecordsAScoreAsItIsMeasured) {
    const LeasedRun asked = ask();
    const ToldRun told = must(tell(asked, scored(0.0005)));
    EXPECT_EQ(told.explored.run.candidate, asked.planned.child.id);
    EXPECT_NEAR(*told.explored.run.val_bpb, *scored().score, 1e-9);
    EXPECT_EQ(told.explored.run.trainer, "told, scored by fake");
    EXPECT_EQ(told.explored.run.decision, Decision::kept);
    EXPECT_EQ(told.explored.run.energy.method, "estimated");
    EXPECT_FALSE(told.late);
    EXPECT_TRUE(must(open_asks(world_.session)).empty());
    EXPECT_EQ(world_.runs().size(), 1U);
}

TEST_F(Telling, RefusesAScoreThatTheWeightsDoNotHave) {
    const LeasedRun asked = ask();
    EXPECT_EQ(trouble(tell(asked, scored(-0.1))).code, Code::corrupt);
    EXPECT_EQ(must(open_asks(world_.session)).size(), 1U);
    EXPECT_TRUE(world_.runs().empty());
}

TEST_F(Telling, NeedsTheWeightsAndTheSteps) {
    const LeasedRun asked = ask();
    ToldResult told = scored();
    told.steps = 0;
    EXPECT_EQ(trouble(tell(asked, told)).code, Code::usage);
    told = scored();
    told.artifact.reset();
    EXPECT_EQ(trouble(tell(asked, told)).code, Code::usage);
}

TEST_F(Telling, TakesAFailure) {
    ToldResult told;
    told.failed = "out of memory";
    const ToldRun recorded = must(tell(ask(), told));
    EXPECT_EQ(recorded.explored.run.status, RunStatus::failed);
    EXPECT_EQ(recorded.explored.run.reason, "out of memory");
}

TEST_F(Telling, TakesALateResult) {
    const LeasedRun asked = ask();
    world_.clock.time_s = static_cast<double>(asked.until) + 5;
    const ToldRun told = must(tell(asked, scored()));
    EXPECT_TRUE(told.late);
    EXPECT_EQ(told.until, asked.until);
    EXPECT_EQ(told.explored.run.wall_s, 20);  // the budget at most
}

TEST_F(Telling, RefusesALateResultOfARunThatWasMadeHereSince) {
    const LeasedRun asked = ask();
    world_.clock.time_s = static_cast<double>(asked.until) + 5;
    ExploreOptions options;
    options.runs = 2;  // both seeds, the one asked for among them
    must(world_.explore(options));
    const Error error = trouble(tell(asked, scored()));
    EXPECT_EQ(error.code, Code::not_found);
    EXPECT_THAT(error.message, HasSubstr("it was run here since"));
}

TEST_F(Telling, RefusesASecondResult) {
    const LeasedRun asked = ask();
    must(tell(asked, scored()));
    EXPECT_EQ(trouble(tell(asked, scored())).code, Code::not_found);
}

// To take it for absent would run the same again, or overwrite it.
TEST_F(Telling, AFileThatCannotBeReadIsNotTakenForAbsent) {
    const LeasedRun asked = ask();
    const std::string state = world_.session.clone->state_dir;
    const auto unreadable = [](const std::string& path) {
        std::filesystem::remove(path);
        std::filesystem::create_directories(path + "/not a file");
    };
    unreadable(asked_dir(world_.session, asked.planned.child.id) + "ask.json");
    EXPECT_EQ(trouble(open_asks(world_.session)).code, Code::io);
    unreadable(state + "lifted");
    EXPECT_EQ(trouble(LiftedFailures::read(world_.session, {})).code, Code::io);
    EXPECT_EQ(trouble(lift_failures(world_.session, {})).code, Code::io);
    unreadable(state + "speed.json");
    EXPECT_EQ(trouble(category_so_far(world_.session, 20)).code, Code::io);
    EXPECT_EQ(trouble(machine_category(world_.worker, world_.observer, world_.session, 20)).code, Code::io);
    EXPECT_EQ(unknown_category(world_.session, "cultivar explain").code, Code::io);
}

TEST_F(Telling, AsksForAnotherCandidateEachTime) {
    EXPECT_NE(ask().planned.child.id, ask().planned.child.id);
    EXPECT_EQ(must(open_asks(world_.session)).size(), 2U);
}

}  // namespace
}  // namespace cultivar
