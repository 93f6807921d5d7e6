#include "cli/search/exploration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "cli/runs/machine_category.h"
#include "cli/search/job_shares.h"
#include "cli/search/processor_share.h"
#include "tests/cli/support/search_world.h"
#include "tests/train/energy/fake_machine.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Loops side by side in one clone, each with a session and a worker of its own.
class SideBySide {
public:
    explicit SideBySide(int jobs) : SideBySide(JobWishes{.jobs = jobs, .threads = "1"}) {}
    explicit SideBySide(const JobWishes& wishes) {
        const std::vector<Settings> shares = must(job_shares(wishes, world.session.settings));
        world.session.settings = shares.front();
        for (const Settings& share : shares) open(share);
    }

    Result<void> explore(int runs, ExploreOptions options = {}) {
        options.runs = runs;
        return cultivar::explore(world.observer, world.worker, clock, world.session, options, jobs_);
    }

    SearchWorld world;
    SystemClock clock;
    std::deque<FakeWorker> workers;

private:
    void open(const Settings& share) {
        Session& session = sessions_.emplace_back();
        session.settings = share;
        session.clone = std::make_unique<Clone>(world.world.reopen("ann"));
        session.index = std::make_unique<Index>(must(Index::open(*session.clone)));
        jobs_.push_back({session, workers.emplace_back()});
    }
    std::deque<Session> sessions_;
    std::vector<Job> jobs_;
};

std::set<std::string> seeds_of(const std::vector<Run>& runs) {
    std::set<std::string> seeds;
    for (const Run& run : runs) seeds.insert(run.candidate + " " + std::to_string(run.replicate));
    return seeds;
}

TEST(ExploringSideBySide, MakesTheRunsOnceAndInAll) {
    SideBySide four(4);
    must(four.explore(30));  // there are two seeds, so two loops wait for the first scores
    EXPECT_EQ(four.world.observer.recorded.size(), 30U);
    EXPECT_EQ(seeds_of(four.world.observer.recorded).size(), 30U);
    must(four.world.session.index->refresh());
    EXPECT_EQ(four.world.runs().size(), 30U);
    EXPECT_THAT(must(unfinished_runs(four.world.session)), IsEmpty());
    std::size_t made = 0;
    for (const FakeWorker& worker : four.workers) made += worker.jobs.size();
    EXPECT_EQ(made, 30U);
}

TEST(ExploringSideBySide, GivesEachRunItsPartOfTheMachinesCounters) {
    FakeMachine machine;
    machine.add_zone("intel-rapl:0", "package-0");
    ExploreOptions options;
    options.energy_places = machine.places();
    options.energy_places.state_folder.clear();  // no idle power is measured
    SideBySide two(2);
    must(two.explore(4, options));
    ASSERT_EQ(two.world.observer.recorded.size(), 4U);
    for (const auto& run : two.world.observer.recorded) {
        ASSERT_EQ(run.energy.domains.size(), 1U);
        EXPECT_EQ(run.energy.domains[0].domain, "cpu");
        EXPECT_EQ(run.energy.domains[0].method, "shared");
        EXPECT_EQ(run.energy.domains[0].error, 0.5);
    }
}

TEST(ExploringSideBySide, NamesTheThreadsOfARunInItsCategory) {
    SideBySide two(2);
    must(two.explore(4));
    for (const auto& run : two.world.observer.recorded) EXPECT_EQ(run.category, kFakeCategory + "-t1");
    Session& verifier = two.world.session;  // with the machine to itself
    verifier.settings.jobs = 1;
    verifier.settings.threads.value = 2;
    EXPECT_TRUE(is_category_here(verifier, kFakeCategory + "-t1", 20));
    EXPECT_FALSE(is_category_here(verifier, kFakeCategory + "-t4", 20)) << "so many threads are not here";
    EXPECT_FALSE(is_category_here(verifier, kFakeCategory, 20)) << "nobody measured two threads";
}

TEST(ExploringSideBySide, TrainsEachJobOnADeviceOfItsOwn) {
    SideBySide two(JobWishes{.devices = "cuda:0,cuda:3", .threads = "1"});
    std::atomic<int> begun = 0;
    for (FakeWorker& worker : two.workers) {
        worker.training = [&](const WorkerJob& job, const Listener& listener, const auto&) {
            for (++begun; begun < 2;) two.clock.sleep_s(0.001);
            return FakeWorker::train(job, listener, 3);
        };
    }
    must(two.explore(6));
    std::vector<std::set<std::string>> numbers;
    for (const FakeWorker& worker : two.workers) {
        numbers.emplace_back();
        for (const WorkerJob& job : worker.jobs)
            numbers.back().insert(job.specification.device + job.specification.device_number);
    }
    EXPECT_THAT(numbers, ElementsAre(ElementsAre("cuda0"), ElementsAre("cuda3")));
    ASSERT_EQ(two.world.observer.recorded.size(), 6U);
    for (const auto& run : two.world.observer.recorded) EXPECT_EQ(run.category, "cuda-20s-e11-t1");
}

class OfOneDevice final : public Worker {
public:
    Result<std::vector<std::string>> check() const override { return fail(Code::usage, "no device 'cuda:1'"); }
    Result<std::string> digest() const override { return std::string(64, 'd'); }
    Result<Outcome> run(const WorkerJob&, const Listener&, const std::function<bool()>&) override { return Outcome(); }
};

TEST(ExploringSideBySide, BeginsNothingWhereTheDeviceOfAJobIsNotThere) {
    SearchWorld world;
    OfOneDevice second;
    ExploreOptions options;
    options.runs = 4;
    const std::vector<Job> jobs{{world.session, world.worker}, {world.session, second}};
    EXPECT_EQ(trouble(explore(world.observer, world.worker, world.clock, world.session, options, jobs)).code,
              Code::usage);
    EXPECT_TRUE(world.worker.jobs.empty());
}

TEST(ExploringSideBySide, LeavesEachRunWithItsCheckpointToWhoeverComesNext) {
    SideBySide three(3);
    must(three.explore(4));
    std::atomic<int> begun = 0;
    for (FakeWorker& worker : three.workers) {
        worker.training = [&](const auto&...) {
            ++begun;
            while (begun < 3) three.clock.sleep_s(0.001);
            three.world.observer.stop = true;
            return FakeWorker::stopped();
        };
    }
    EXPECT_EQ(trouble(three.explore(9)).code, Code::interrupted);
    EXPECT_EQ(must(unfinished_runs(three.world.session)).size(), 3U);
    three.world.observer.stop = false;
    three.world.observer.begun.clear();
    for (FakeWorker& worker : three.workers) worker.training = {};
    must(three.explore(3));
    for (int run = 1; run <= 3; ++run)
        EXPECT_EQ(three.world.observer.count("run " + std::to_string(run) + " resumed"), 1);
    EXPECT_EQ(three.world.observer.recorded.size(), 7U);
    EXPECT_EQ(seeds_of(three.world.observer.recorded).size(), 7U);
    EXPECT_THAT(must(unfinished_runs(three.world.session)), IsEmpty());
}

TEST(ExploringSideBySide, BeginsNoFurtherRunOnceALoopFailed) {
    SideBySide two(2);
    must(two.explore(4));
    std::atomic<bool> failed = false;
    two.workers[0].training = [&](const auto&...) {
        Outcome outcome;
        outcome.cause = Outcome::Cause::disk_full;
        failed = true;
        return outcome;
    };
    two.workers[1].training = [&](const WorkerJob& job, const Listener& listener, const auto&) {
        while (!failed) two.clock.sleep_s(0.001);
        return FakeWorker::train(job, listener, 3);
    };
    EXPECT_EQ(trouble(two.explore(1'000'000)).code, Code::io);
    EXPECT_EQ(must(unfinished_runs(two.world.session)).size(), 1U);
}

TEST(ExploringSideBySide, SaysThatThereIsNothingToTryOnceNoLoopBringsAnything) {
    SideBySide three(3);
    for (FakeWorker& worker : three.workers)
        worker.training = [](const auto&...) { return FakeWorker::failed("unfit", "too large"); };
    EXPECT_EQ(trouble(three.explore(1'000)).code, Code::unfit);
}

TEST(ProcessorShare, IsEquallyLargeForEachJobOrNone) {
    EXPECT_THAT(share_of({2, 3, 6, 7, 9}, 0, 2, 2), ElementsAre(2, 3));
    EXPECT_THAT(share_of({2, 3, 6, 7, 9}, 1, 2, 1), ElementsAre(6, 7));
    EXPECT_THAT(share_of({2, 3}, 1, 2, 2), IsEmpty());
    EXPECT_THAT(share_of({0, 1}, 0, 4, 1), IsEmpty());
}

}  // namespace
}  // namespace cultivar
