#include "cli/search/next_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <functional>

#include "cli/runs/ask_store.h"
#include "cli/search/ask_run.h"
#include "cli/session/lifted_failures.h"
#include "pool/clone/journal.h"
#include "pool/storage/segment_log.h"
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

// The traces of `cultivar import`.
Candidate import(SearchWorld& world, const Genes& changes) {
    Clone& clone = world.clone();
    Candidate made = must(make_candidate(clone.task.space, clone.task_id, changes));
    const CandidateCommit commit = must(world.session.index->lineage().write(made, {}));
    must(ensure_candidate_branch(clone.repo, commit));
    must(world.session.index->refresh());
    return made;
}

// Mallory runs each seed, claims a false score, is rejected, and retires what only she kept.
void poison_seeds(SearchWorld& world) {
    Clone& clone = world.clone();
    const Key key = must(Key::load_or_create(world.world.path("mallory.pem")));
    const std::string mallory = "mallory.box." + key.fingerprint().substr(0, 8);
    std::vector<std::string> lines, verdicts;
    for (const Seed& seed : must(read_seeds(clone))) {
        auto lie = scored_run(clone.task, mallory, seed.candidate.genes, 1.0);
        lie.category = kFakeCategory;
        auto kept = scored_run(clone.task, mallory, seed.candidate.genes, 1.1, 1);
        kept.category = kFakeCategory, kept.decision = Decision::kept;
        Claim claim = claim_of(clone, {lie});
        claim.writer = mallory;
        const Retirement retired{clone.task_id, lie.candidate, true, "mine", mallory, "2026-11-21T05:00:00Z"};
        for (const Record& record : std::vector<Record>{lie, kept, claim, retired}) lines.push_back(to_line(record));
        Verdict verdict;
        verdict.claim = record_id(to_line(claim)), verdict.task = clone.task_id, verdict.candidate = lie.candidate;
        verdict.artifact = lie.artifact, verdict.result = VerdictResult::rejected, verdict.tier = Tier::rerun;
        verdict.reason = "a lie", verdict.verifier = clone.writer, verdict.at = "2026-11-21T06:00:00Z";
        verdict.slice = std::string(64, '4');
        verdicts.push_back(to_line(verdict));
    }
    must(append_log(clone.repo, "refs/remotes/origin/journal/" + mallory, lines, {mallory, "m@example.org", 1795232400},
                    key));
    must(append_log(clone.repo, clone.ledger_ref(), verdicts, clone.identity(), clone.key));
}

TEST(Planning, KeepsThePoolsSeedsOpenWhateverStrangersClaimOfThem) {
    SearchWorld world;
    poison_seeds(world);
    must(world.session.index->refresh());
    const PlanningHistory now = must(planning_history(world.session, world.clock, kFakeCategory));
    int seeds = 0;
    for (const KnownCandidate& known : now.history.candidates) {
        EXPECT_FALSE(known.rejected);
        EXPECT_FALSE(known.retired);
        seeds += known.seed ? 1 : 0;
    }
    EXPECT_GT(seeds, 0);
    must(plan_run(world.session, world.clock, now.history, options()));
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

// The journal of a key that nobody knows, as a fetch would leave it.
void publish_as_mallory(SearchWorld& world, const std::function<std::vector<Record>(const std::string&)>& records_of) {
    const Key key = must(Key::load_or_create(world.world.path("mallory.pem")));
    const std::string mallory = "mallory.box." + key.fingerprint().substr(0, 8);
    std::vector<std::string> lines;
    for (const Record& record : records_of(mallory)) lines.push_back(to_line(record));
    must(append_log(world.clone().repo, "refs/remotes/origin/journal/" + mallory, lines,
                    {mallory, "m@example.org", 1795232400}, key));
    must(world.session.index->refresh());
}

Lease lease_of(const SearchWorld& world, const Candidate& candidate, const std::string& writer) {
    return {world.session.clone->task_id,
            candidate.id,
            kFakeCategory,
            20,
            0,
            writer,
            "2026-11-21T05:00:00Z",
            candidate.toml,
            {}};
}

std::vector<Record> leases_of_seeds(SearchWorld& world, const std::string& writer) {
    std::vector<Record> leases;
    for (const Seed& seed : must(read_seeds(world.clone())))
        leases.emplace_back(lease_of(world, seed.candidate, writer));
    return leases;
}

TEST(Planning, RunsASeedThoughSomebodyLeasesThemAll) {
    SearchWorld world;
    publish_as_mallory(world, [&](const std::string& mallory) { return leases_of_seeds(world, mallory); });
    const NextRun next = plan(world);
    EXPECT_EQ(next.run.operator_name, "seed");
    EXPECT_EQ(next.run.replicate, 1) << "the run under way there has number 0";
    EXPECT_TRUE(under_way(world, next.run.child.id));
}

TEST(Planning, RunsItsOwnCandidatesAgainThoughSomebodyLeasesThem) {
    SearchWorld world;
    ExploreOptions two;
    two.runs = 2;
    must(world.explore(two));
    publish_as_mallory(world, [&](const std::string& mallory) { return leases_of_seeds(world, mallory); });
    const NextRun next = plan(world);
    EXPECT_EQ(next.run.operator_name, "replicate") << next.run.choice;
    EXPECT_EQ(next.run.replicate, 2) << "the run that may be under way there has number 1";
    EXPECT_FALSE(under_way(world, next.run.child.id));
}

TEST(Planning, TakesAnImportFirstWhateverOthersSayOfIt) {
    SearchWorld world;
    const Candidate imported = import(world, {{"model.layers", whole(2)}});
    publish_as_mallory(world, [&](const std::string& mallory) {
        auto run = scored_run(world.clone().task, mallory, {{"model.layers", whole(2)}}, 9);
        run.category = kFakeCategory;
        return std::vector<Record>{run, lease_of(world, imported, mallory)};
    });
    EXPECT_EQ(plan(world).run.child.id, imported.id);
}

TEST(Planning, MayComeToWhatNobodyButAStrangerScoredAndRetired) {
    SearchWorld world;
    const Genes genes = {{"model.layers", whole(2)}};
    publish_as_mallory(world, [&](const std::string& mallory) {
        auto run = scored_run(world.clone().task, mallory, genes, 9);
        run.category = kFakeCategory, run.decision = Decision::kept;
        return std::vector<Record>{run, Retirement{run.task, run.candidate, true, "no good", mallory, run.started}};
    });
    const PlanningHistory now = must(planning_history(world.session, world.clock, kFakeCategory));
    const std::string id = must(make_candidate(world.clone().task.space, world.clone().task_id, genes)).id;
    ASSERT_TRUE(must(world.session.index->retired_candidates()).contains(id));
    const auto found = std::ranges::find_if(now.history.candidates,
                                            [&](const KnownCandidate& known) { return known.candidate.id == id; });
    ASSERT_NE(found, now.history.candidates.end());
    EXPECT_FALSE(found->retired);
    EXPECT_FALSE(found->kept) << "it is no import";
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
    now.history.candidates.clear();  // a mark: a second reading has them
    EXPECT_TRUE(must(up_to_date(world.session, world.clock, now)).history.candidates.empty());
    Clone same = world.world.reopen("ann");
    spool(same, run_by(same, {}, 3));
    must(Index::open(same));
    EXPECT_FALSE(must(up_to_date(world.session, world.clock, now)).history.candidates.empty());
}

// The two seeds failed a few times each, by this worker.
std::vector<std::string> fail_the_seeds(SearchWorld& world, const std::string& worker, int times = 2,
                                        FailureKind kind = FailureKind::candidate) {
    std::vector<std::string> records;
    for (const Genes& genes : {Genes{{"model.layers", whole(8)}}, Genes{{"model.width", whole(256)}}}) {
        for (int replicate = 0; replicate < times; ++replicate) {
            Run run = run_by(world.clone(), genes, 3);
            run.category = kFakeCategory;
            run.status = RunStatus::failed;
            run.failure = kind;
            run.failed_worker = worker;
            run.val_bpb.reset();
            run.replicate = replicate;
            run.seed = run_seed(run.candidate, replicate);
            records.push_back(must(append_record(world.clone(), run)));
        }
    }
    must(world.session.index->refresh());
    return records;
}

std::size_t failures(SearchWorld& world) {
    return must(planning_history(world.session, world.clock, kFakeCategory)).history.trials.size();
}

TEST(Failures, AreLiftedByTheirUserAndTheCandidateComesFirst) {
    SearchWorld world;
    const std::vector<std::string> records = fail_the_seeds(world, "");
    EXPECT_EQ(failures(world), 4U);
    must(lift_failures(world.session, {records[2], records[3]}));
    EXPECT_EQ(failures(world), 2U);
    const NextRun next = plan(world);
    const Clone& clone = world.clone();
    EXPECT_EQ(next.run.child.id,
              must(make_candidate(clone.task.space, clone.task_id, {{"model.width", whole(256)}})).id);
    EXPECT_THAT(next.run.choice, ::testing::HasSubstr("its failures here were lifted"));
    EXPECT_EQ(next.run.replicate, 2);
}

TEST(Failures, OfAnotherWorkerAreLifted) {
    SearchWorld world;
    const std::string program = world.world.path("worker");
    must(write_file_atomically(program, "one"));
    world.session.settings.worker.value = program;
    std::filesystem::permissions(program, std::filesystem::perms::all);
    fail_the_seeds(world, worker_digest(world.session));
    EXPECT_EQ(failures(world), 4U);
    must(write_file_atomically(program, "two"));
    std::filesystem::permissions(program, std::filesystem::perms::all);
    EXPECT_EQ(failures(world), 0U);
}

// It hung, say: the fault may be the machine's.
TEST(Failures, OfUnknownKindLeaveACandidateToBeTriedAgainUntilTheyAreMany) {
    for (const auto& [times, held] : {std::pair<int, std::size_t>{1, 2}, {2, 2}, {3, 2}, {4, 8}}) {
        SearchWorld world;
        fail_the_seeds(world, "", times, FailureKind::unknown);
        EXPECT_EQ(failures(world), held) << times << " failures of each of two candidates";
    }
}

// The words of the command stay the same: they name a program on PATH.
TEST(Failures, OfACommandAreLiftedOnceItsProgramIsRepaired) {
    SearchWorld world;
    const std::string program = world.world.path("trainer");
    const auto install = [&](const std::string& text) {
        must(write_file_atomically(program, "#!/bin/sh\n" + text + "\n"));
        std::filesystem::permissions(program, std::filesystem::perms::all);
    };
    install("exit 1");
    world.session.clone->task.command.emplace().run = {program};
    const std::string broken = worker_digest(world.session);
    EXPECT_NE(broken, "");
    EXPECT_EQ(worker_digest(world.session), broken);
    RunRow row;
    row.id = std::string(64, 'a');
    row.run.status = RunStatus::failed, row.run.failure = FailureKind::candidate, row.run.failed_worker = broken;
    EXPECT_FALSE(must(LiftedFailures::read(world.session, {row})).lifted(row));
    install("exit 0");
    EXPECT_TRUE(must(LiftedFailures::read(world.session, {row})).lifted(row));
}

}  // namespace
}  // namespace cultivar
