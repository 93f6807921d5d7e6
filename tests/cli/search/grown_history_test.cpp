#include "cli/search/grown_history.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cli/search/run_recorder.h"
#include "pool/clone/journal.h"
#include "tests/cli/support/search_world.h"

namespace cultivar {
namespace {

std::string text_of(const History& history) {
    std::string text;
    for (const KnownCandidate& one : history.candidates)
        text += fmt::format("{} <- {}: {}{}{}{}{}{}{}{} {} {}\n", one.candidate.id, fmt::join(one.parents, " "),
                            one.seed, one.kept, one.retired, one.rejected, one.wanted, one.in_flight, one.leased,
                            one.held_here, one.fresh.size(), one.runs_anywhere);
    for (const Trial& one : history.trials) {
        text += fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {}", one.candidate, name(one.status), one.score,
                            one.operator_name, name(one.decision), fmt::join(one.parents, " "), one.budget_s, one.steps,
                            one.trusted, one.claimed, one.wall_s, one.proposer, one.proposer_s, one.proposer_usd);
        for (const CurvePoint& point : one.curve)
            text += fmt::format(" {}:{}:{}", point.elapsed_s, point.step, point.train_loss);
        text += "\n";
    }
    return text;
}

class Growing : public ::testing::Test {
protected:
    // One run as explore makes it.
    cultivar::Run explore(double val_loss, RunStatus status = RunStatus::done) {
        return record(begin(), val_loss, status);
    }
    PlannedRun begin() {
        must(world_.session.index->refresh());
        if (!now_) now_ = must(planning_history(world_.session, world_.clock, kFakeCategory));
        PlanOptions options;
        options.category = kFakeCategory;
        options.budget_s = 20;
        PlannedRun planned = must(plan_run(world_.session, world_.clock, now_->history, options)).run;
        must(lease(world_.session, planned));
        mark_under_way(planned, now_->history);
        return planned;
    }
    cultivar::Run record(const PlannedRun& planned, double val_loss, RunStatus status = RunStatus::done) {
        RunResult result;
        result.run =
            scored_run(world_.clone().task, world_.clone().writer, planned.child.genes, val_loss, planned.replicate);
        result.run.parents = planned.parents;
        result.run.category = planned.category;
        result.run.operator_name = planned.operator_name;
        result.run.decision = Decision::none;
        result.run.reason = "";
        result.run.status = status;
        if (status != RunStatus::done) result.run.val_bpb.reset();
        return must(record_run(world_.session, world_.clock, std::move(result), now_)).run;
    }
    std::string as_read() {
        return text_of(must(planning_history(world_.session, world_.clock, kFakeCategory)).history);
    }

    SearchWorld world_;
    std::optional<PlanningHistory> now_;
};

TEST_F(Growing, IsWhatTheIndexSays) {
    int grown = 0;
    for (int i = 0; i < 40; ++i) {
        explore(i % 3 == 0 ? 4 - 0.02 * i : 4 + 0.01 * i);
        if (!now_) continue;
        ++grown;
        ASSERT_EQ(text_of(now_->history), as_read()) << i;
    }
    EXPECT_GT(grown, 25);
}

TEST_F(Growing, EndsWithAFailure) {
    while (!now_) explore(4);
    explore(4, RunStatus::failed);
    EXPECT_FALSE(now_);
    explore(4);
    EXPECT_FALSE(now_) << "the failure may be lifted at any time";
}

TEST_F(Growing, EndsWhenAnotherLoopBeganARun) {
    while (!now_) explore(4);
    const PlannedRun own = begin();
    must(world_.session.index->refresh());  // takes in its lease before the run ends, as another loop's refresh does
    const PlannedRun other = begin();
    ASSERT_NE(own.child.id, other.child.id);
    record(own, 4);
    EXPECT_FALSE(now_) << "it would not know that the other candidate is under way";
}

TEST_F(Growing, EndsWhenAnythingElseComes) {
    while (!now_) explore(4);
    cultivar::Run other = run_by(world_.clone(), {{"optim.lr", 0.37}}, 3.9);
    other.category = kFakeCategory;
    must(append_record(world_.clone(), other));  // by another process, not imported yet
    RunResult result;
    result.run = run_by(world_.clone(), {{"optim.lr", 0.38}}, 3.9);
    result.run.category = kFakeCategory;
    must(record_run(world_.session, world_.clock, std::move(result), now_));
    EXPECT_FALSE(now_);
}

}  // namespace
}  // namespace cultivar
