#include "cli/search/explorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/search/delayed_runs.h"
#include "tests/cli/support/search_world.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ExploreOptions runs(int count) {
    ExploreOptions options;
    options.runs = count;
    return options;
}

// A worker whose runs take so long by the fake clock.
FakeWorker::Training taking(SearchWorld& world, double seconds) {
    return [&world, seconds](const WorkerJob& job, const Listener& listener, const auto&) {
        world.clock.sleep_s(seconds);
        return FakeWorker::train(job, listener, 3);
    };
}

TEST(Exploring, EndsAfterItsRuns) {
    SearchWorld world;
    must(world.explore(runs(3)));
    EXPECT_EQ(world.observer.recorded.size(), 3U);
    EXPECT_EQ(world.runs().size(), 3U);
    EXPECT_EQ(world.observer.steps, 30);
    EXPECT_FALSE(std::filesystem::exists(world.run_folder()));
    EXPECT_THAT(std::vector(world.observer.events.begin() + 2, world.observer.events.begin() + 5),
                ElementsAre("run 1 planned", "trainer left", "recorded"));
}

TEST(Exploring, TriesTheSeedsFirst) {
    SearchWorld world;
    must(world.explore(runs(3)));
    EXPECT_EQ(world.observer.begun[0].operator_name, "seed");
    EXPECT_EQ(world.observer.begun[1].operator_name, "seed");
    EXPECT_NE(world.observer.begun[2].operator_name, "seed");
    EXPECT_EQ(world.observer.recorded[0].category, kFakeCategory);
}

TEST(Exploring, MeasuresTheMachineOnce) {
    SearchWorld world;
    must(world.explore(runs(1)));
    must(world.explore(runs(1)));
    const auto benches = std::ranges::count_if(
        world.worker.jobs, [](const WorkerJob& job) { return job.specification.mode == Specification::Mode::bench; });
    EXPECT_EQ(benches, 1);
}

TEST(Exploring, StartsNoRunAfterItsTime) {
    SearchWorld world;
    world.worker.training = taking(world, 40);
    ExploreOptions options;
    options.for_s = 100;
    must(world.explore(std::move(options)));
    EXPECT_EQ(world.observer.recorded.size(), 3U);  // begun at 0, 40 and 80 s
}

ExploreOptions until(const SearchWorld& world, double seconds) {
    ExploreOptions options;
    options.until_unix_s = world.clock.unix_s() + static_cast<std::int64_t>(seconds);
    return options;
}

FakeWorker::Training lasting(SearchWorld& world, double seconds) {
    return [&world, seconds](const WorkerJob& job, const Listener& listener, const auto&) {
        world.clock.sleep_s(seconds);
        Outcome outcome = FakeWorker::train(job, listener, 3);
        outcome.wall_s = seconds;
        return outcome;
    };
}

TEST(Exploring, BeginsNoRunThatCannotEndInTime) {
    SearchWorld world;
    world.worker.training = lasting(world, 40);
    must(world.explore(until(world, 100)));
    EXPECT_EQ(world.observer.recorded.size(), 2U);  // the third would end after 120 s
    EXPECT_THAT(world.observer.events.back(), HasSubstr("no further run: one takes about 40 s, and 20 s are left"));
}

TEST(Exploring, ExpectsTheFirstRunToTakeItsBudget) {
    SearchWorld world;
    world.worker.training = lasting(world, 1);
    must(world.explore(until(world, 19)));
    EXPECT_TRUE(world.observer.recorded.empty());
    must(world.explore(until(world, 21)));
    EXPECT_EQ(world.observer.recorded.size(), 21U);
}

TEST(Exploring, StopsARunThatTakesLongerThanExpectedAndGoesOnWithItInWhateverTimeThereIs) {
    SearchWorld world;
    world.worker.training = [&](const WorkerJob&, const Listener&, const auto& stop) {
        world.clock.sleep_s(29);
        EXPECT_FALSE(stop());
        world.clock.sleep_s(1);
        EXPECT_TRUE(stop());
        return FakeWorker::stopped();
    };
    must(world.explore(until(world, 30)));
    EXPECT_TRUE(world.observer.recorded.empty());
    EXPECT_TRUE(std::filesystem::exists(world.run_folder() + "plan.json"));
    world.worker.training = {};
    ExploreOptions options = until(world, 5);
    options.runs = 1;
    must(world.explore(options));
    EXPECT_EQ(world.observer.recorded.size(), 1U);
    EXPECT_EQ(world.observer.count("run 1 resumed"), 1);
}

TEST(Exploring, LeavesTimeForThePush) {
    SearchWorld world;
    git(world.world.path("ann"), "remote add origin " + world.world.hub());
    world.reopen();
    Hand(world.world.reopen("ann")).propose();
    world.reopen();
    world.worker.training = lasting(world, 20);
    ExploreOptions options = until(world, 45);
    options.propose = true;
    must(world.explore(options));
    EXPECT_EQ(world.observer.recorded.size(), 1U);
    EXPECT_THAT(world.observer.events, Contains(HasSubstr("one takes about 20 s and a push 10 s, and 25 s are left")));
    EXPECT_EQ(world.observer.count("proposed"), 1);
}

TEST(Exploring, PushesAfterAStop) {
    SearchWorld world;
    git(world.world.path("ann"), "remote add origin " + world.world.hub());
    world.reopen();
    Hand(world.world.reopen("ann")).propose();
    world.reopen();
    world.worker.training = [&](const auto&...) {
        world.observer.stop = true;
        return FakeWorker::stopped();
    };
    ExploreOptions options = runs(2);
    options.propose = true;
    EXPECT_EQ(trouble(world.explore(options)).code, Code::interrupted);
    EXPECT_EQ(world.observer.count("proposed"), 1);
}

TEST(Exploring, WaitsUntilItIsAllowed) {
    SearchWorld world;
    const double begun_s = world.clock.now_s();
    int asked = 0;
    ExploreOptions options = runs(1);
    options.allowed = [&] { return Permission{.is_given = ++asked > 2}; };
    must(world.explore(std::move(options)));
    EXPECT_EQ(world.observer.count("waiting"), 1);
    EXPECT_EQ(world.observer.count("going on"), 1);
    EXPECT_EQ(world.observer.recorded.size(), 1U);
    EXPECT_NEAR(world.clock.now_s() - begun_s, 60, 2);  // asked every 30 s
}

TEST(Exploring, EndsWhenItsTimeIsOverBeforeItIsAllowed) {
    SearchWorld world;
    ExploreOptions options;
    options.for_s = 100;
    options.allowed = [] { return Permission{.is_given = false}; };
    must(world.explore(std::move(options)));
    EXPECT_TRUE(world.observer.recorded.empty());
    EXPECT_TRUE(world.runs().empty());
}

TEST(Exploring, LeavesARunWithACheckpointWhileItIsNotAllowed) {
    SearchWorld world;
    bool allowed = true;
    ExploreOptions options = runs(1);
    options.allowed = [&] { return Permission{.is_given = std::exchange(allowed, true)}; };
    world.worker.training = [&, first = true](const WorkerJob& job, const Listener& listener,
                                              const auto& stop) mutable {
        if (!std::exchange(first, false)) return FakeWorker::train(job, listener, 3);
        EXPECT_FALSE(stop());
        allowed = false;
        EXPECT_FALSE(stop()) << "it was asked less than 30 s ago";
        world.clock.sleep_s(31);
        EXPECT_TRUE(stop());
        return FakeWorker::stopped();
    };
    must(world.explore(std::move(options)));
    EXPECT_EQ(world.observer.count("run 1 planned"), 1);
    EXPECT_EQ(world.observer.count("run 1 resumed"), 1);
    ASSERT_EQ(world.observer.recorded.size(), 1U);
    EXPECT_EQ(world.observer.recorded[0].wall_s, 2);  // both parts
}

TEST(Exploring, KeepsByHowMuchWaitingDelayedEachPartOfARun) {
    SearchWorld world;
    const std::int64_t begun_s = world.clock.unix_s();
    std::int64_t first_s = 0, second_s = 0;
    ExploreOptions options = runs(2);
    bool allowed = true;
    options.allowed = [&] {
        const std::int64_t now_s = world.clock.unix_s() - begun_s;
        const bool is_given = allowed && now_s >= 100;
        allowed = true;
        return Permission{.is_given = is_given, .why = "it is early", .until_unix_s = begun_s + 100, .again_s = 10};
    };
    world.worker.training = [&](const WorkerJob& job, const Listener& listener, const auto& stop) {
        if (second_s > 0) return FakeWorker::train(job, listener, 3);
        (first_s > 0 ? second_s : first_s) = world.clock.unix_s();
        if (second_s > 0) return FakeWorker::train(job, listener, 3);
        EXPECT_FALSE(read_wait_note(world.clone().state_dir));
        world.clock.sleep_s(11);
        allowed = false;
        EXPECT_TRUE(stop());
        EXPECT_EQ(read_wait_note(world.clone().state_dir).value().why, "it is early");
        allowed = false;
        return FakeWorker::stopped();
    };
    must(world.explore(std::move(options)));
    EXPECT_FALSE(read_wait_note(world.clone().state_dir));
    EXPECT_EQ(world.observer.count("waiting"), 2);
    ASSERT_EQ(world.observer.refusals.size(), 2U);
    EXPECT_EQ(world.observer.refusals[0].until_unix_s, begun_s + 100);
    const std::vector<DelayedRun> delayed = read_delayed_runs(world.clone().state_dir);
    ASSERT_EQ(delayed.size(), 2U);
    ASSERT_EQ(delayed[0].delays.size(), 2U);
    EXPECT_EQ(delayed[0].delays[0].from_unix_s, first_s);
    EXPECT_NEAR(delayed[0].delays[0].seconds, 100, 12);
    EXPECT_EQ(delayed[0].delays[1].from_unix_s, second_s);
    EXPECT_NEAR(delayed[0].delays[1].seconds, 110, 14);
    ASSERT_EQ(delayed[1].delays.size(), 1U) << "the next run comes as much later";
    EXPECT_EQ(delayed[1].delays[0].seconds, delayed[0].delays[1].seconds);
    EXPECT_TRUE(world.session.index->record_line(delayed[0].id));
}

TEST(Exploring, KeepsNoDelayOfARunThatDidNotWait) {
    SearchWorld world;
    ExploreOptions options = runs(1);
    options.allowed = [&] {
        world.clock.sleep_s(3);  // the answer takes time
        return Permission();
    };
    must(world.explore(std::move(options)));
    EXPECT_TRUE(read_delayed_runs(world.clone().state_dir).empty());
}

TEST(Exploring, EndsAtOnceWhenItIsInterruptedWhileItWaits) {
    SearchWorld world;
    ExploreOptions options = runs(1);
    options.allowed = [&] {
        world.observer.stop = true;
        return Permission{.is_given = false, .why = "", .until_unix_s = {}, .again_s = 1e6};
    };
    const double begun_s = world.clock.now_s();
    EXPECT_EQ(trouble(world.explore(std::move(options))).code, Code::interrupted);
    EXPECT_LT(world.clock.now_s() - begun_s, 1);
    EXPECT_FALSE(read_wait_note(world.clone().state_dir));
}

TEST(Exploring, GoesOnWithAnInterruptedRun) {
    SearchWorld world;
    world.worker.training = [&](const auto&...) {
        world.observer.stop = true;
        return FakeWorker::stopped();
    };
    EXPECT_EQ(trouble(world.explore(runs(2))).code, Code::interrupted);
    EXPECT_TRUE(world.observer.recorded.empty());
    EXPECT_TRUE(std::filesystem::exists(world.run_folder() + "plan.json"));

    world.observer.stop = false;
    world.worker.training = {};
    world.reopen();
    must(world.explore(runs(1)));
    EXPECT_EQ(world.observer.count("run 1 resumed"), 1);
    ASSERT_EQ(world.observer.begun.size(), 2U);
    EXPECT_EQ(world.observer.begun[0].child.id, world.observer.begun[1].child.id);
    EXPECT_EQ(world.observer.begun[0].started, world.observer.begun[1].started);
    EXPECT_EQ(world.runs().size(), 1U);
}

TEST(Exploring, EndsAfterThreeFailuresInARow) {
    SearchWorld world;
    world.worker.training = [](const auto&...) { return FakeWorker::failed("diverged", "loss is NaN"); };
    const Error error = trouble(world.explore(runs(9)));
    EXPECT_EQ(error.code, Code::io);
    EXPECT_THAT(error.message, HasSubstr("the last 3 runs failed: diverged: loss is NaN"));
    EXPECT_EQ(world.observer.recorded.size(), 3U);
    EXPECT_EQ(world.observer.recorded[0].status, RunStatus::failed);
}

TEST(Exploring, RunsTheBestAgainAfterThreeFailuresAndGoesOnIfItScores) {
    SearchWorld world;
    world.worker.training = [run = 0](const WorkerJob& job, const Listener& listener, const auto&) mutable {
        ++run;
        return run <= 3 || run == 7 ? FakeWorker::train(job, listener, 3) : FakeWorker::failed("internal", "no");
    };
    must(world.explore(runs(8)));
    ASSERT_EQ(world.observer.recorded.size(), 8U);
    EXPECT_EQ(world.observer.recorded[6].operator_name, "replicate");
    EXPECT_THAT(world.observer.recorded[6].choice, HasSubstr("does it still"));
}

TEST(Exploring, BlamesTheMachineWhereTheBestFailsTooAndHoldsNothingAgainstCandidates) {
    SearchWorld world;
    world.worker.training = [run = 0](const WorkerJob& job, const Listener& listener, const auto&) mutable {
        return ++run <= 3 ? FakeWorker::train(job, listener, 3) : FakeWorker::failed("internal", "no room");
    };
    const Error error = trouble(world.explore(runs(20)));
    EXPECT_EQ(error.code, Code::io);
    EXPECT_THAT(error.message, HasSubstr("the machine is at fault"));
    EXPECT_EQ(world.observer.recorded.size(), 7U);
    const PlanningHistory now = must(planning_history(world.session, world.clock, kFakeCategory));
    EXPECT_EQ(now.history.trials.size(), 3U);
}

TEST(Exploring, TriesARunOnceMoreThatASignalEnded) {
    SearchWorld world;
    world.worker.training = [run = 0](const WorkerJob& job, const Listener& listener, const auto&) mutable {
        if (++run > 1) return FakeWorker::train(job, listener, 3);
        Outcome outcome;
        outcome.cause = Outcome::Cause::signal;
        outcome.message = "killed by signal 9 (Killed)";
        return outcome;
    };
    must(world.explore(runs(1)));
    EXPECT_EQ(world.observer.count("run 1 resumed"), 1);
    ASSERT_EQ(world.observer.recorded.size(), 1U);
    EXPECT_EQ(world.observer.recorded[0].status, RunStatus::done);
}

TEST(Exploring, StopsAtOnceAndRecordsNothingWhereTheDiskIsFull) {
    SearchWorld world;
    world.worker.training = [](const auto&...) {
        Outcome outcome;
        outcome.cause = Outcome::Cause::disk_full;
        outcome.message = "left with exit code 1";
        return outcome;
    };
    const Error error = trouble(world.explore(runs(9)));
    EXPECT_THAT(error.message, HasSubstr("is full"));
    EXPECT_TRUE(world.runs().empty());
    world.worker.training = {};
    must(world.explore(runs(1)));
    EXPECT_EQ(world.observer.count("run 1 resumed"), 1);
}

TEST(Exploring, TriesTheOnlySeedAgainInALaterExplorationHoweverOftenItFailed) {
    SearchWorld world;
    world.worker.training = [](const auto&...) { return FakeWorker::failed("internal", "no module named numpy"); };
    for (int day = 0; day < 3; ++day) EXPECT_EQ(trouble(world.explore(runs(9))).code, Code::io);
    world.worker.training = {};
    must(world.explore(runs(1)));
    EXPECT_EQ(world.observer.recorded.back().status, RunStatus::done);
}

TEST(Exploring, CountsFailuresInARowAlone) {
    SearchWorld world;
    world.worker.training = [run = 0](const WorkerJob& job, const Listener& listener, const auto&) mutable {
        return ++run % 3 == 0 ? FakeWorker::train(job, listener, 3) : FakeWorker::failed("internal", "no");
    };
    must(world.explore(runs(6)));
    EXPECT_EQ(world.observer.recorded.size(), 6U);
}

TEST(Exploring, TakesAnUnfitModelForNoFailure) {
    SearchWorld world;
    world.worker.training = [run = 0](const WorkerJob& job, const Listener& listener, const auto&) mutable {
        return ++run == 1 ? FakeWorker::train(job, listener, 3) : FakeWorker::failed("unfit", "too large");
    };
    must(world.explore(runs(5)));
    EXPECT_EQ(world.observer.recorded[1].status, RunStatus::unfit);
    EXPECT_EQ(world.observer.recorded[1].reason, "too large");
}

TEST(Exploring, SaysThatThereIsNothingToTry) {
    SearchWorld world(false);
    EXPECT_EQ(trouble(world.explore(runs(1))).code, Code::unfit);
    EXPECT_TRUE(world.runs().empty());
}

TEST(Exploring, GoesOnOfflineAndProposesLater) {
    SearchWorld world;
    git(world.world.path("ann"), "remote add origin " + world.world.path("nowhere.git"));
    world.reopen();
    ExploreOptions options = runs(1);
    options.propose = true;
    must(world.explore(options));
    EXPECT_EQ(world.observer.count("offline"), 1);
    EXPECT_EQ(world.observer.count("not proposed"), 1);
    EXPECT_EQ(world.observer.recorded.size(), 1U);

    git(world.world.path("ann"), "remote set-url origin " + world.world.hub());
    world.reopen();
    must(world.explore(options));
    EXPECT_EQ(world.observer.count("proposed"), 1);
    EXPECT_THAT(world.world.hub_refs(), HasSubstr("refs/heads/main"));
}

TEST(Exploring, PullsAndProposesEveryHalfHour) {
    SearchWorld world;
    git(world.world.path("ann"), "remote add origin " + world.world.hub());
    world.reopen();
    Hand(world.world.reopen("ann")).propose();
    world.reopen();
    world.worker.training = taking(world, 31 * 60);
    ExploreOptions options = runs(2);
    options.propose = true;
    must(world.explore(options));
    EXPECT_EQ(world.observer.count("pulled"), 2);    // at the start and before the second run
    EXPECT_EQ(world.observer.count("proposed"), 2);  // before the second run and at the end
}

TEST(Exploring, WarnsOfWhatTheSandboxLacks) {
    SearchWorld world;
    world.worker.gaps = {"no Landlock"};
    must(world.explore(runs(1)));
    EXPECT_EQ(world.observer.count("warning: no Landlock"), 1);
}

}  // namespace
}  // namespace cultivar
