// Tests runs that are stopped, killed and started again.
#include <atomic>
#include <thread>

#include "tests/train/lm/worker/worker_fixture.h"

namespace cultivar {
namespace {

// Steps of several hundred micro-batches, so that most of a run is spent within one step.
class LongSteps : public Worker {
protected:
    void SetUp() override {
        Worker::SetUp();
        specification_.genes["data.tokens_per_step"] = std::int64_t{1 << 16};
        specification_.threads = 2;
        specification_.budget_s = 1000;
        specification_.checkpoint_s = 0.1;
    }

    std::string checkpoint() const { return specification_.work_dir + "/checkpoint.bin"; }

    // Sends the signal as soon as there is a checkpoint, after deleting it if `take_away` is set.
    Ending run_until_checkpoint(int signal, bool take_away = false) {
        std::atomic<bool> ended = false;
        std::thread watcher;
        const Ending ending = run([&](const Event& event, pid_t worker) {
            if (!std::holds_alternative<StartEvent>(event)) return;
            watcher = std::thread([&ended, signal, take_away, worker, path = checkpoint()] {
                while (!ended && !std::filesystem::exists(path)) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(5));
                }
                if (take_away) std::filesystem::remove(path);
                if (!ended) kill(worker, signal);
            });
        });
        ended = true;
        watcher.join();
        return ending;
    }
};

TEST_F(LongSteps, GoOnFromWithinAStepAfterAKill) {
    const Ending first = run_until_checkpoint(SIGKILL);
    EXPECT_EQ(first.exit_code, 1000 + SIGKILL);
    EXPECT_TRUE(first.all<StepEvent>().empty()) << "the step is too short: the test shows nothing";
    const Ending second = run_until(1, SIGKILL);
    ASSERT_EQ(second.all<StartEvent>().size(), 1U);
    const double resumed_s = second.all<StartEvent>().front().resumed_s;
    EXPECT_GT(resumed_s, 0);
    ASSERT_FALSE(second.all<StepEvent>().empty());
    EXPECT_EQ(second.all<StepEvent>().front().step, 1);
    EXPECT_EQ(second.all<StepEvent>().front().before_s, 0);
    EXPECT_GT(second.all<StepEvent>().front().elapsed_s, resumed_s);
}

TEST_F(LongSteps, KeepThePartThatWasDoneWhenAskedToStop) {
    const Ending first = run_until_checkpoint(SIGTERM, true);
    EXPECT_EQ(first.exit_code, 143);
    EXPECT_TRUE(first.all<StepEvent>().empty()) << "the step is too short: the test shows nothing";
    const Ending second = run([](const Event&, pid_t worker) { kill(worker, SIGKILL); });
    EXPECT_GT(second.all<StartEvent>().front().resumed_s, 0);
}

TEST_F(LongSteps, EndInTheSameArtifactHoweverOftenTheyWereInterrupted) {
    specification_.clock = {0, 400};
    ASSERT_EQ(run().exit_code, 0);
    const std::string artifact = bytes_of(specification_.artifact);
    ASSERT_FALSE(artifact.empty());
    std::filesystem::remove(checkpoint());
    std::filesystem::remove(specification_.artifact);
    EXPECT_EQ(run_until_checkpoint(SIGKILL).exit_code, 1000 + SIGKILL);
    EXPECT_EQ(run_until(1, SIGTERM).exit_code, 143);
    ASSERT_EQ(run().exit_code, 0);
    EXPECT_EQ(bytes_of(specification_.artifact), artifact);
}

TEST_F(Worker, LeavesACheckpointOnSigtermAndGoesOnFromIt) {
    specification_.budget_s = 1.5;
    const Ending first = run_until(3, SIGTERM);
    EXPECT_EQ(first.exit_code, 143);
    EXPECT_TRUE(first.all<DoneEvent>().empty());
    const auto before = first.all<StepEvent>();
    const Ending second = run();
    ASSERT_EQ(second.exit_code, 0) << second.error_message();
    const auto after = second.all<StepEvent>();
    ASSERT_FALSE(after.empty());
    EXPECT_EQ(after.front().step, before.back().step + 1);
    EXPECT_EQ(after.front().before_s, before.back().elapsed_s);
    EXPECT_GE(second.all<StartEvent>().front().resumed_s, before.back().elapsed_s);
    EXPECT_EQ(second.done().steps, after.back().step);
}

TEST_F(Worker, StartsAfreshWhenItsCheckpointIsDamaged) {
    specification_.budget_s = 1.5;
    ASSERT_EQ(run_until(2, SIGUSR1).exit_code, 143);
    const std::string path = folder_ + "/work/checkpoint.bin";
    std::string bytes = bytes_of(path);
    ASSERT_GT(bytes.size(), 1000U);
    bytes[bytes.size() / 2] ^= 1;
    write_bytes(path, bytes);
    const Ending ending = run();
    EXPECT_EQ(ending.exit_code, 0);
    EXPECT_EQ(ending.all<StartEvent>().front().resumed_s, 0);
    EXPECT_EQ(ending.all<StepEvent>().front().step, 1);
}

TEST_F(Worker, GoesStraightToScoringWhenTrainingWasOver) {
    const DoneEvent trained = run().done();
    const Ending again = run();
    EXPECT_TRUE(again.all<StepEvent>().empty());
    EXPECT_EQ(again.done().val_bpb, trained.val_bpb);
    EXPECT_EQ(again.done().train_s, trained.train_s);
}

}  // namespace
}  // namespace cultivar
