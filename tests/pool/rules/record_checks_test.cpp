#include "pool/rules/record_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

constexpr const char* kOwner = "bob.box.01234567";

// A pool with caps exactly at scored_run()'s cost, with 81.92 J of training: 1e-4 J per token.
Task capped_task() {
    Task task = tiny_task();
    task.caps = {1234, 2468.0, 1e-4};
    return task;
}

Error check(const Task& task, void (*spoil)(cultivar::Run&)) {
    auto run = scored_run(task, kOwner, {}, 2.0);
    run.energy.train_joules = 81.92;
    spoil(run);
    auto checked = check_run(task, task.id(), run, kOwner);
    return checked ? Error{Code::usage, "accepted", ""} : checked.error();
}

TEST(RecordChecks, TakesARunThatIsAtItsCaps) {
    EXPECT_EQ(check(capped_task(), [](auto&) {}).message, "accepted");
}

TEST(RecordChecks, RefusesAScoredRunOverACapWithBothFigures) {
    const Task task = capped_task();
    const Error big = check(task, [](auto& run) { run.parameters = 1235; });
    EXPECT_EQ(big.code, Code::unfit);
    EXPECT_EQ(big.message, "1235 parameters are over the pool's cap of 1234");
    EXPECT_EQ(check(task, [](auto& run) { run.flops_per_token = 2469; }).message,
              "2469 forward FLOPs a token are over the pool's cap of 2468");
    EXPECT_EQ(check(task, [](auto& run) { run.energy.train_joules = 163.84; }).message,
              "0.0002 joules a token are over the pool's cap of 0.0001");
}

TEST(RecordChecks, RefusesARunThatKeepsACappedFigureToItself) {
    const Task task = capped_task();
    for (auto spoil :
         {+[](cultivar::Run& run) { run.parameters = 0; }, +[](cultivar::Run& run) { run.flops_per_token = 0; },
          +[](cultivar::Run& run) { run.energy.train_joules.reset(); }}) {
        EXPECT_EQ(check(task, spoil).message, "it lacks a figure that the pool caps");
        EXPECT_EQ(check(tiny_task(), spoil).message, "accepted");
    }
}

TEST(RecordChecks, HoldsNoCapAgainstARunWithoutAScore) {
    for (auto status : {RunStatus::unfit, RunStatus::failed, RunStatus::stopped}) {
        const Task task = capped_task();
        auto run = scored_run(task, kOwner, {}, 2.0);
        run.status = status;
        run.parameters = 1'000'000;
        EXPECT_TRUE(check_run(task, task.id(), run, kOwner)) << name(status);
    }
}

TEST(RecordChecks, RefusesTrainingThatTookMoreThanTheWholeRun) {
    const Error error = check(tiny_task(), [](auto& run) { run.energy.train_joules = 301; });
    EXPECT_EQ(error.code, Code::corrupt);
    EXPECT_THAT(error.message, HasSubstr("more joules than the whole run"));
}

TEST(RecordChecks, RefusesMoreTimeThanAnyRunTakesAndMorePowerThanAnyMachineDraws) {
    for (auto status : {RunStatus::done, RunStatus::failed}) {
        const Task task = tiny_task();
        auto run = scored_run(task, kOwner, {}, 2.0);
        run.status = status, run.wall_s = 1e9;
        EXPECT_EQ(check_run(task, task.id(), run, kOwner).error().message, "it took 1000000000 s on a budget of 20 s");
        run.wall_s = 25, run.energy.joules = 1e18;
        EXPECT_EQ(check_run(task, task.id(), run, kOwner).error().message,
                  "it took 1e+18 J in 25 s, more than any machine draws");
        run.energy.joules = 2'000'000;
        EXPECT_TRUE(check_run(task, task.id(), run, kOwner));
    }
}

TEST(RecordChecks, RefusesARunOfAnotherBudgetThanItsCategoryHas) {
    for (auto status : {RunStatus::done, RunStatus::failed, RunStatus::stopped}) {
        const Task task = tiny_task();
        auto run = scored_run(task, kOwner, {}, 2.0);
        run.status = status, run.budget_s = 200, run.train_s = 200;
        const auto checked = check_run(task, task.id(), run, kOwner);
        ASSERT_FALSE(checked) << name(status);
        EXPECT_EQ(checked.error().message, "it ran on a budget of 200 s, its category cpu-20s-e10.5 has 20 s");
        run.category = "cpu-200s-e10.5";
        EXPECT_TRUE(check_run(task, task.id(), run, kOwner));
    }
}

TEST(RecordChecks, RefusesASecondSpellingOfACategory) {
    for (const char* spelt : {"cpu-20.0s-e10.5", "cpu-2e1s-e10.5", "cpu-20s-e10.50", "cpu-020s-e10.5"}) {
        const Task task = tiny_task();
        auto run = scored_run(task, kOwner, {}, 2.0);
        run.category = spelt;
        EXPECT_FALSE(check_run(task, task.id(), run, kOwner)) << spelt;
    }
}

}  // namespace
}  // namespace cultivar
