// Tests runs repeated from a recorded clock.
#include "train/protocol/replay_spec.h"

#include "tests/train/lm/worker/worker_fixture.h"

namespace cultivar {
namespace {

class Replay : public Worker {
protected:
    // A run on its own clock, with rates that fall by it from the first step on.
    Ending record(int threads) {
        specification_.threads = threads;
        specification_.genes["schedule.warmdown_steps"] = std::int64_t{1000};
        specification_.genes["data.tokens_per_step"] = std::int64_t{4096};
        Ending ending = run();
        EXPECT_EQ(ending.exit_code, 0) << ending.error_message();
        EXPECT_GE(ending.all<StepEvent>().size(), 4U);
        return ending;
    }

    // Sets the specification to `steps` of the recorded steps, or all if 0.
    void take_clock(const Ending& recorded, std::size_t steps = 0) {
        specification_.clock.clear();
        for (const StepEvent& step : recorded.all<StepEvent>()) specification_.clock.push_back(step.before_s);
        if (steps > 0) specification_.clock.resize(steps);
        specification_.artifact = folder_ + "/again";
        std::filesystem::remove(specification_.work_dir + "/checkpoint.bin");
    }

    static std::vector<double> losses(const Ending& ending) {
        std::vector<double> found;
        for (const StepEvent& step : ending.all<StepEvent>()) found.push_back(step.train_loss);
        return found;
    }

    void expect_the_same_artifact(int threads) {
        const Ending first = record(threads);
        take_clock(first);
        const Ending again = run();
        ASSERT_EQ(again.exit_code, 0) << again.error_message();
        EXPECT_EQ(losses(again), losses(first));
        EXPECT_EQ(again.done().steps, first.done().steps);
        EXPECT_EQ(again.done().val_bpb, first.done().val_bpb);
        EXPECT_EQ(bytes_of(folder_ + "/again"), bytes_of(folder_ + "/artifact"));
    }
};

TEST_F(Replay, OfAWholeRunOnOneThreadGivesTheSameArtifact) { expect_the_same_artifact(1); }

TEST_F(Replay, OfAWholeRunOnTwoThreadsGivesTheSameArtifact) { expect_the_same_artifact(2); }

TEST_F(Replay, OfTheFirstStepsGivesTheirLossesAndNothingElse) {
    const Ending first = record(2);
    take_clock(first, 3);
    specification_.mode = Specification::Mode::replay;
    specification_.val_shard = specification_.byte_table = folder_ + "/missing";
    const Ending again = run();
    ASSERT_EQ(again.exit_code, 0) << again.error_message();
    EXPECT_THAT(losses(again), testing::ElementsAreArray(losses(first).data(), 3));
    EXPECT_EQ(again.all<StepEvent>()[1].before_s, first.all<StepEvent>()[1].before_s);
    EXPECT_EQ(again.done().replayed_steps, 3);
    EXPECT_EQ(again.done().tokens, 3 * 4096);
    EXPECT_TRUE(again.all<EvalEvent>().empty());
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/again"));
}

TEST_F(Replay, WithOtherThreadsGivesTheLossesWithinTheTolerance) {
    const Ending first = record(1);
    take_clock(first, std::min<std::size_t>(first.all<StepEvent>().size(), kTraceSteps));
    specification_.mode = Specification::Mode::replay;
    specification_.threads = 2;
    const Ending again = run();
    ASSERT_EQ(again.exit_code, 0) << again.error_message();
    const std::vector<double> replayed = losses(again);
    EXPECT_EQ(replayed.size(), specification_.clock.size());
    EXPECT_LT(trace_deviation(losses(first), replayed), kTraceTolerance);
    EXPECT_NE(losses(first), replayed) << "one lane was enough: the test shows nothing";
}

TEST_F(Replay, WithAnotherClockOrSeedGivesOtherLosses) {
    const Ending first = record(1);
    take_clock(first, 4);
    specification_.mode = Specification::Mode::replay;
    const std::vector<double> good_clock = specification_.clock;
    for (double& reading_s : specification_.clock) reading_s = std::min(2 * reading_s, specification_.budget_s);
    EXPECT_GT(trace_deviation(losses(first), losses(run())), 0);
    specification_.clock = good_clock;
    EXPECT_EQ(trace_deviation(losses(first), losses(run())), 0);
    ++specification_.seed;
    EXPECT_GT(trace_deviation(losses(first), losses(run())), 0);
}

TEST_F(Replay, NeedsAClock) {
    specification_.mode = Specification::Mode::replay;
    const Ending ending = run();
    EXPECT_EQ(ending.error_kind(), "usage");
    EXPECT_THAT(ending.error_message(), HasSubstr("'clock'"));
    EXPECT_EQ(ending.exit_code, 129);
}

}  // namespace
}  // namespace cultivar
