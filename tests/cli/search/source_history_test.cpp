// Tests a search in a pool with candidates that carry files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/search/next_run.h"
#include "cli/session/history_loader.h"
#include "pool/storage/segment_log.h"
#include "pool/types/task_parser.h"
#include "pool/types/verdict.h"
#include "pool/util/sha256.h"
#include "tests/pool/support/hand.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

constexpr const char* kTask = R"(format = 2
name = "mine"
created = "2026-11-21T03:40:00Z"
[task]
kind = "command"
metric = "accuracy"
budget_s = 20
[command]
run = ["true", "{gene.x}"]
[surface]
edit = ["src/**"]
[gene.x]
type = "real"
default = 0.0
range = [-10.0, 10.0]
)";

class SourceHistory : public ::testing::Test {
protected:
    SourceHistory() {
        world_.found("ann", must(parse_task(kTask, "pool.toml")));
        session_.clone = std::make_unique<Clone>(world_.reopen("ann"));
        session_.index = std::make_unique<Index>(must(Index::open(*session_.clone)));
    }
    Clone& clone() { return *session_.clone; }
    Candidate make(const Genes& genes, const SourceFiles& files) {
        return must(make_candidate(clone().task.space, clone().task_id, genes, files));
    }
    cultivar::Run scored(const Candidate& candidate, double score) {
        cultivar::Run run = scored_run(tiny_task(), clone().writer, {}, 2.0);
        run.task = clone().task_id;
        run.candidate = candidate.id;
        run.toml = candidate.toml;
        run.seed = run_seed(candidate.id, 0);
        run.chunk_loss_sums.clear();
        run.artifact.clear();
        run.val_loss.reset();
        run.val_bpb = score;
        run.decision = Decision::kept;
        category_ = run.category;
        return run;
    }
    History history() {
        must(session_.index->refresh());
        return must(read_history(session_, {}, category_));
    }

    World world_;
    Session session_;
    std::string category_;
};

// Anybody may write a record that names files. Nothing of it can run here while nobody gives their bytes.
TEST_F(SourceHistory, LeavesOutCandidatesWhoseFilesNobodyGave) {
    const std::string bytes = "first=1\n";
    spool(clone(), scored(make({}, {}), 3));
    spool(clone(), scored(make({}, {{"src/a.sh", sha256_hex(bytes)}}), 1));
    EXPECT_EQ(history().candidates.size(), 1U);
    must(session_.index->lineage().add_source(bytes));
    EXPECT_EQ(history().candidates.size(), 2U);
}

TEST_F(SourceHistory, MakesChildrenWithTheFilesOfTheirParents) {
    const SourceFiles files = {{"src/a.sh", must(session_.index->lineage().add_source("first=1\n"))}};
    spool(clone(), scored(make({}, files), 1));
    const History now = history();
    PlanOptions options;
    options.category = category_;
    options.budget_s = 20;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        options.seed = seed;
        const NextRun next = must(plan_run(session_, SystemClock(), now, options));
        EXPECT_EQ(next.run.child.files, files) << next.run.operator_name;
    }
}

// Source can tell a verifier from others, or wait for a day.
TEST_F(SourceHistory, BuildsOnAcceptedSourceOnlyOnceItRanHere) {
    git(world_.path("ann"), "push -q origin main");
    Hand bob(world_.join("bob"));
    const std::string bytes = "first=1\n";
    const SourceFiles files = {{"src/a.sh", must(bob.index.lineage().add_source(bytes))}};
    const Candidate plain = make({{"x", 1.0}}, {}), changed = make({}, files);
    for (const auto& [candidate, score] : {std::pair(plain, 3.0), {changed, 1.0}}) {
        cultivar::Run run = scored(candidate, score);
        run.writer = bob.clone.writer;
        spool(bob.clone, run);
    }
    must(bob.index.refresh());
    bob.propose();
    must(pull(clone(), *session_.index, *git_cli_transport(clone().repo.git_dir())));
    std::vector<std::string> verdicts;
    for (const Candidate& candidate : {plain, changed}) {
        Verdict verdict;
        verdict.claim = must(session_.index->claims(candidate.id)).at(0).id;
        verdict.task = clone().task_id, verdict.candidate = candidate.id, verdict.reason = "because";
        verdict.result = VerdictResult::accepted, verdict.tier = Tier::rerun, verdict.verifier = clone().writer;
        verdict.at = "2026-11-21T06:00:00Z";
        verdicts.push_back(to_line(verdict));
    }
    must(append_log(clone().repo, clone().ledger_ref(), verdicts, clone().identity(), clone().key));
    const auto trusted = [&](const Candidate& candidate) {
        const History now = history();
        return std::ranges::any_of(now.trials, [&](const Trial& trial) {
            return trial.candidate == candidate.id && trial.trusted && trial.score < 4;
        });
    };
    EXPECT_TRUE(trusted(plain));
    EXPECT_FALSE(trusted(changed));
    spool(clone(), scored(changed, 2));
    EXPECT_TRUE(trusted(changed));
}

// A person's changed source comes first, as a cross or an import without parents does.
TEST_F(SourceHistory, RunsChangedSourceFirst) {
    spool(clone(), scored(make({}, {}), 3));
    must(session_.index->refresh());
    Lineage& lineage = session_.index->lineage();
    const CandidateCommit root = must(session_.index->commit_of(make({}, {}).id));
    const Candidate child = make({}, {{"src/a.sh", must(lineage.add_source("first=1\n"))}});
    must(ensure_candidate_branch(clone().repo, must(lineage.write(child, {root.oid}))));
    PlanOptions options;
    options.category = "cpu-20s-e11";
    options.budget_s = 20;
    const NextRun next = must(plan_run(session_, SystemClock(), history(), options));
    EXPECT_EQ(next.run.child.id, child.id);
    EXPECT_TRUE(next.run.by_hand);
    EXPECT_EQ(next.run.operator_name, "import");
}

}  // namespace
}  // namespace cultivar
