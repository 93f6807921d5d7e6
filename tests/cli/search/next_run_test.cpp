#include "cli/search/next_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "cli/runs/ask_store.h"
#include "cli/search/ask_run.h"
#include "tests/cli/support/search_world.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

PlanOptions options() {
    PlanOptions options;
    options.category = kFakeCategory;
    options.budget_s = 20;
    return options;
}

NextRun plan(SearchWorld& world) {
    must(world.session.index->refresh());
    const PlanningHistory now = must(planning_history(world.session, world.clock, kFakeCategory));
    return must(plan_run(world.session, world.clock, now.history, options()));
}

bool under_way(SearchWorld& world, const std::string& candidate) {
    const PlanningHistory now = must(planning_history(world.session, world.clock, kFakeCategory));
    return std::ranges::any_of(now.history.candidates, [&](const KnownCandidate& known) {
        return known.candidate.id == candidate && known.in_flight;
    });
}

// What `cultivar import` leaves.
Candidate import(SearchWorld& world, const Genes& changes) {
    Clone& clone = world.clone();
    Candidate made = must(make_candidate(clone.task.space, clone.task_id, changes));
    const CandidateCommit commit = must(world.session.index->lineage().write(made, {}));
    must(ensure_candidate_branch(clone.repo, commit));
    must(world.session.index->refresh());
    return made;
}

TEST(Planning, TakesAnImportFirst) {
    SearchWorld world;
    const Candidate imported = import(world, {{"model.layers", whole(2)}});
    const NextRun next = plan(world);
    EXPECT_EQ(next.run.child.id, imported.id);
    EXPECT_EQ(next.run.operator_name, "import");
    EXPECT_EQ(next.run.choice, "import: asked for by hand");
    EXPECT_TRUE(next.run.by_hand);
    EXPECT_FALSE(next.why);
}

TEST(Planning, LeavesAnImportThatWasRun) {
    SearchWorld world;
    const Candidate imported = import(world, {{"model.layers", whole(2)}});
    spool(world.clone(), run_by(world.clone(), {{"model.layers", whole(2)}}, 3));
    const NextRun next = plan(world);
    EXPECT_NE(next.run.child.id, imported.id);
    EXPECT_FALSE(next.run.by_hand);
}

TEST(Planning, GivesTheSamePlanForTheSameSeedAndHistory) {
    SearchWorld world;
    const NextRun one = plan(world), two = plan(world);
    EXPECT_EQ(one.run.child.id, two.run.child.id);
    EXPECT_EQ(one.run.choice, two.run.choice);
    EXPECT_EQ(one.run.started, utc_text(world.clock.unix_s()));
}

TEST(Planning, LeavesTheLeasesOfOthers) {
    SearchWorld world;
    git(world.world.path("ann"), "remote add origin " + world.world.hub());
    Hand(world.world.reopen("ann")).propose();
    world.reopen();
    const PlannedRun first = plan(world).run;
    Hand bob(world.world.join("bob"));
    spool(bob.clone, Lease{bob.clone.task_id, first.child.id, kFakeCategory, 20, 0, bob.clone.writer,
                           utc_text(std::time(nullptr)), first.child.toml, first.parents});
    must(bob.index.refresh());
    bob.propose();
    Hand(world.world.reopen("ann")).pull();
    world.reopen();
    EXPECT_TRUE(under_way(world, first.child.id));
    EXPECT_NE(plan(world).run.child.id, first.child.id);
}

TEST(Planning, LeavesAnAskWhileItIsHeld) {
    SearchWorld world;
    const LeasedRun asked = must(ask_run(world.session, world.observer, world.clock, options()));
    EXPECT_TRUE(under_way(world, asked.planned.child.id));
    world.clock.time_s = static_cast<double>(asked.until) + 1;
    EXPECT_FALSE(under_way(world, asked.planned.child.id));
}

TEST(Planning, LeavesAnAskOfAnotherCategory) {
    SearchWorld world;
    PlanOptions other = options();
    other.category = "cpu-20s-e9";
    const LeasedRun asked = must(ask_run(world.session, world.observer, world.clock, other));
    EXPECT_FALSE(under_way(world, asked.planned.child.id));
}

TEST(Planning, WaitsForTheLockUntilItIsInterrupted) {
    SearchWorld world;
    const FileLock held = must(lock_planning(world.observer, world.session));
    world.observer.stop = true;
    EXPECT_EQ(trouble(lock_planning(world.observer, world.session)).code, Code::interrupted);
}

TEST(Planning, SaysThatThereIsNothingToTry) {
    SearchWorld world(false);
    const PlanningHistory now = must(planning_history(world.session, world.clock, kFakeCategory));
    EXPECT_EQ(trouble(plan_run(world.session, world.clock, now.history, options())).code, Code::unfit);
}

TEST(PlanningHistory, IsReadAgainOnlyAfterAnotherProcessWrote) {
    SearchWorld world;
    PlanningHistory now = must(planning_history(world.session, world.clock, kFakeCategory));
    now.history.candidates.clear();  // a mark: what is read again has them
    EXPECT_TRUE(must(up_to_date(world.session, world.clock, now)).candidates.empty());
    Clone same = world.world.reopen("ann");
    spool(same, run_by(same, {}, 3));
    must(Index::open(same));
    EXPECT_FALSE(must(up_to_date(world.session, world.clock, now)).candidates.empty());
}

}  // namespace
}  // namespace cultivar
