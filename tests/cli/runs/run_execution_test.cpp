#include "cli/runs/run_execution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/cli/support/search_world.h"
#include "tests/train/energy/fake_machine.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A machine without counters.
EnergyPlaces nowhere() {
    EnergyPlaces places;
    places.powercap = places.hwmon = places.power_supply = places.nvml = "/nonexistent";
    return places;
}

class Executing : public ::testing::Test {
protected:
    Executing() : energy_(world_.clock, plan_energy(nowhere(), {.threads = 2, .declared_watts = 50.0})) {
        planned_.child = must(make_candidate(world_.clone().task.space, world_.clone().task_id, {}));
        planned_.operator_name = "seed";
        planned_.choice = "a seed";
        planned_.category = kFakeCategory;
        planned_.started = "2026-11-21T04:00:00Z";
        planned_.budget_s = 20;
        must(begin_run(world_.session, world_.run_folder(), planned_));
    }
    RunResult execute(const RunHooks& hooks = {}) {
        const auto never = [] { return false; };
        RunHooks all = hooks;
        if (!all.should_stop) all.should_stop = never;
        return must(
            execute_run(world_.session, world_.run_folder(), world_.worker, world_.clock, planned_, energy_, all));
    }
    void answer(const Outcome& outcome) {
        world_.worker.training = [outcome](const auto&...) { return outcome; };
    }

    SearchWorld world_;
    EnergyMeter energy_;
    PlannedRun planned_;
};

TEST_F(Executing, GivesAScoredRunItsFiguresAndItsWeights) {
    const RunResult result = execute();
    EXPECT_EQ(result.run.status, RunStatus::done);
    EXPECT_EQ(result.run.steps, 10);
    EXPECT_EQ(result.run.train_s, 20);
    EXPECT_EQ(result.run.curve.size(), 10U);
    EXPECT_EQ(result.run.trainer, "fake");
    EXPECT_EQ(result.run.energy.method, "declared");
    ASSERT_EQ(result.run.energy.domains.size(), 1U);
    EXPECT_EQ(result.run.energy.domains[0].domain, "machine");
    EXPECT_EQ(wrong_in(result.run.energy, result.run.wall_s), std::nullopt);
    ASSERT_TRUE(result.weights);
    EXPECT_THAT(*result.weights, StartsWith("weights of "));
    EXPECT_EQ(result.run.artifact_bytes, static_cast<std::int64_t>(result.weights->size()));
}

TEST_F(Executing, TrainsWithTheSeedTheDataAndTheFolderOfTheRun) {
    execute();
    ASSERT_EQ(world_.worker.jobs.size(), 1U);
    const WorkerJob& job = world_.worker.jobs[0];
    EXPECT_EQ(job.specification.seed, run_seed(planned_.child.id, 0));
    EXPECT_EQ(job.specification.budget_s, 20);
    EXPECT_EQ(job.specification.train_shards.size(), 2U);
    EXPECT_THAT(job.specification.work_dir, StartsWith(job.folder));
    EXPECT_EQ(job.folder, world_.run_folder());
}

// A run that waits with a checkpoint takes nothing meanwhile.
TEST_F(Executing, AddsUpTheEnergyOfTheSlotsOfItsParts) {
    world_.clock.time_s = 1'795'232'700;
    world_.worker.training = [this](const auto&...) {
        world_.clock.time_s += 10;
        return FakeWorker::stopped(10);
    };
    EXPECT_TRUE(execute().stopped);
    world_.clock.time_s = 1'795'232'700 + 3600;
    planned_ = must(unfinished_run(world_.session, world_.run_folder())).value();
    world_.worker.training = [this](const WorkerJob& job, const Listener& listener, const auto&) {
        world_.clock.time_s += 20;
        Outcome outcome = FakeWorker::train(job, listener, 4);
        outcome.wall_s = 20;
        return outcome;
    };
    const cultivar::Run run = execute().run;
    EXPECT_EQ(run.wall_s, 30);
    ASSERT_EQ(run.energy.domains.size(), 1U);
    EXPECT_THAT(run.energy.domains[0].slots,
                ElementsAre(EnergySlot{1'795'232'700, 10, 500, 0}, EnergySlot{1'795'232'700 + 3600, 20, 1000, 0}));
    EXPECT_EQ(run.energy.joules, 1500);
}

// A program that tells no progress is asked only whether it should stop.
TEST_F(Executing, ReadsTheCountersWhileTheTrainerRunsBeforeTheyWrapTwice) {
    FakeMachine machine;
    machine.add_zone("intel-rapl:0", "package-0", "1000000000");
    EnergyMeter meter(world_.clock, plan_energy(machine.places(), {}));
    world_.worker.training = [&](const WorkerJob& job, const Listener& listener, const auto& stop) {
        for (const char* microjoules : {"600000000", "200000000", "900000000"}) {
            world_.clock.time_s += 1;
            machine.set_zone("intel-rapl:0", microjoules);
            stop();
        }
        return FakeWorker::train(job, listener, 4);
    };
    const RunHooks hooks{.on_step = {}, .hopeless = {}, .should_stop = [] { return false; }};
    const RunResult result =
        must(execute_run(world_.session, world_.run_folder(), world_.worker, world_.clock, planned_, meter, hooks));
    EXPECT_EQ(result.run.energy.joules, 600 + 600 + 700);
    EXPECT_EQ(result.run.energy.method, "rapl");
}

TEST_F(Executing, StopsAHopelessRun) {
    RunHooks hooks;
    hooks.hopeless = [](const RunCollector& collector) -> std::optional<StopDecision> {
        if (collector.steps().size() < 5) return std::nullopt;
        return StopDecision{4.5, "far above the others"};
    };
    const RunResult result = execute(hooks);
    EXPECT_EQ(result.run.status, RunStatus::stopped);
    EXPECT_EQ(result.run.expected_bpb, 4.5);
    EXPECT_EQ(result.run.reason, "far above the others");
    EXPECT_EQ(result.run.steps, 5);
    EXPECT_FALSE(result.weights);
}

TEST_F(Executing, NamesAModelThatDoesNotFitUnfit) {
    answer(FakeWorker::failed("unfit", "a step takes 40 s"));
    const RunResult result = execute();
    EXPECT_EQ(result.run.status, RunStatus::unfit);
    EXPECT_EQ(result.run.reason, "a step takes 40 s");
}

TEST_F(Executing, NamesADeadWorkerFailed) {
    Outcome outcome;
    outcome.message = "left with exit code 1";
    outcome.cause = Outcome::Cause::candidate;
    answer(outcome);
    const RunResult result = execute();
    EXPECT_EQ(result.run.status, RunStatus::failed);
    EXPECT_EQ(result.run.reason, "left with exit code 1");
    EXPECT_EQ(result.run.failure, FailureKind::candidate);
}

TEST_F(Executing, HoldsACrashAgainstTheCandidateOnceItCameTwice) {
    Outcome outcome;
    outcome.message = "killed by signal 11 (Segmentation fault)";
    outcome.cause = Outcome::Cause::signal;
    outcome.signal = SIGSEGV;
    answer(outcome);
    EXPECT_EQ(execute().killed, outcome.message);
    planned_ = must(unfinished_run(world_.session, world_.run_folder())).value();
    const RunResult again = execute();
    EXPECT_EQ(again.killed, "");
    EXPECT_EQ(again.run.status, RunStatus::failed);
    EXPECT_EQ(again.run.failure, FailureKind::candidate);
}

// A person, or a system without memory, that ends a run says nothing of its candidate.
TEST_F(Executing, BlamesTheCandidateForNoSignalFromOutsideHoweverOftenItComes) {
    for (int signal : {SIGTERM, SIGKILL, SIGINT, SIGHUP}) {
        Outcome outcome;
        outcome.message = "killed";
        outcome.cause = Outcome::Cause::signal;
        outcome.signal = signal;
        answer(outcome);
        planned_.deaths = 1;
        EXPECT_EQ(execute().run.failure, FailureKind::unknown) << signal;
    }
}

TEST_F(Executing, LeavesTheRunToALaterTimeWhereTheMachineIsAtFault) {
    for (Outcome::Cause cause : {Outcome::Cause::disk_full, Outcome::Cause::cannot_start, Outcome::Cause::device}) {
        Outcome outcome;
        outcome.message = "it broke";
        outcome.cause = cause;
        answer(outcome);
        const RunHooks hooks{.on_step = {}, .hopeless = {}, .should_stop = [] { return false; }};
        const Error error = trouble(
            execute_run(world_.session, world_.run_folder(), world_.worker, world_.clock, planned_, energy_, hooks));
        EXPECT_EQ(error.code, Code::io);
        EXPECT_THAT(error.message, HasSubstr("it broke"));
        EXPECT_NE(error.hint, "");
        EXPECT_TRUE(must(unfinished_run(world_.session, world_.run_folder())));
    }
}

TEST_F(Executing, FailsARunForReasonsUnknownWhereACommandBlamesTheMachine) {
    world_.session.clone->task.command.emplace();
    for (Outcome::Cause cause : {Outcome::Cause::cannot_start, Outcome::Cause::device}) {
        Outcome outcome;
        outcome.message = "it broke";
        outcome.cause = cause;
        answer(outcome);
        const RunResult result = execute();
        EXPECT_EQ(result.run.status, RunStatus::failed);
        EXPECT_EQ(result.run.failure, FailureKind::unknown);
    }
}

// Else the clone's own index would refuse the record, and the search would choose the same run for ever.
TEST_F(Executing, RecordsNoFigureThatAReaderWouldRefuse) {
    world_.worker.training = [](const WorkerJob&, const Listener& listener, const auto&) {
        listener(StepEvent{1, 0.5, 0, 1e13, 8});
        return FakeWorker::failed("diverged", "loss 1e13");
    };
    const RunResult result = execute();
    EXPECT_EQ(result.run.status, RunStatus::failed);
    EXPECT_TRUE(parse_line(to_line(Record(result.run))));
}

TEST_F(Executing, TakesBrokenDataForNoResult) {
    answer(FakeWorker::failed("data", "train_000000.bin ends early"));
    RunHooks hooks;
    hooks.should_stop = [] { return false; };
    const auto result =
        execute_run(world_.session, world_.run_folder(), world_.worker, world_.clock, planned_, energy_, hooks);
    EXPECT_EQ(trouble(result).code, Code::corrupt);
}

TEST_F(Executing, NamesAResultThatOthersWouldRefuseFailed) {
    world_.worker.training = [](const WorkerJob& job, const Listener& listener, const auto&) {
        Outcome outcome = FakeWorker::train(job, listener, 3);
        outcome.done->val_bpb /= 2;  // does not follow from val_loss
        return outcome;
    };
    const RunResult result = execute();
    EXPECT_EQ(result.run.status, RunStatus::failed);
    EXPECT_THAT(result.run.reason, HasSubstr("it would not be accepted"));
    EXPECT_FALSE(result.weights);
}

TEST_F(Executing, TakesNoLinkForAnArtifact) {
    world_.worker.training = [](const WorkerJob& job, const Listener& listener, const auto&) {
        Outcome outcome = FakeWorker::train(job, listener, 3);
        std::filesystem::remove(job.specification.artifact);
        std::filesystem::create_symlink("/etc/passwd", job.specification.artifact);
        return outcome;
    };
    RunHooks hooks;
    hooks.should_stop = [] { return false; };
    const auto result =
        execute_run(world_.session, world_.run_folder(), world_.worker, world_.clock, planned_, energy_, hooks);
    EXPECT_EQ(trouble(result).code, Code::corrupt);
}

// A stranger's program that leaves one must not stop the search.
TEST_F(Executing, FailsTheRunOfACommandThatLeavesALink) {
    world_.session.clone->task.command.emplace();
    world_.worker.training = [](const WorkerJob& job, const Listener& listener, const auto&) {
        Outcome outcome = FakeWorker::train(job, listener, 3);
        std::filesystem::remove(job.specification.artifact);
        std::filesystem::create_symlink("/etc/passwd", job.specification.artifact);
        return outcome;
    };
    const RunResult result = execute();
    EXPECT_EQ(result.run.status, RunStatus::failed);
    EXPECT_THAT(result.run.reason, HasSubstr("its artifact is neither a file nor a folder"));
    EXPECT_FALSE(result.weights);
}

TEST_F(Executing, AddsTheTimeOfItsParts) {
    answer(FakeWorker::stopped(7));
    EXPECT_TRUE(execute().stopped);
    const std::optional<PlannedRun> saved = must(unfinished_run(world_.session, world_.run_folder()));
    ASSERT_TRUE(saved);
    EXPECT_EQ(saved->wall_s, 7);
    planned_ = *saved;
    world_.worker.training = {};
    EXPECT_EQ(execute().run.wall_s, 8);
}

TEST_F(Executing, ReadsAPlanFromBeforeTheFieldByHand) {
    EXPECT_FALSE(must(unfinished_run(world_.session, world_.run_folder()))->by_hand);
    const std::string path = world_.run_folder() + "plan.json";
    std::string text = must(read_file(path));
    EXPECT_EQ(text.find("by_hand"), std::string::npos);
    text.replace(text.find("a seed"), 6, "import: asked for by hand");
    must(write_file_atomically(path, text));
    EXPECT_TRUE(must(unfinished_run(world_.session, world_.run_folder()))->by_hand);
    planned_.by_hand = true;
    must(begin_run(world_.session, world_.run_folder(), planned_));
    EXPECT_TRUE(must(unfinished_run(world_.session, world_.run_folder()))->by_hand);
}

TEST_F(Executing, ForgetsAPlanOfAnotherTask) {
    const std::string path = world_.run_folder() + "plan.json";
    std::string text = must(read_file(path));
    text.replace(text.find(world_.clone().task_id), 4, "0000");
    must(write_file_atomically(path, text));
    EXPECT_FALSE(must(unfinished_run(world_.session, world_.run_folder())));
}

}  // namespace
}  // namespace cultivar
