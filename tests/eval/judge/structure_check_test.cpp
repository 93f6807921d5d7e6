#include "eval/judge/structure_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/judge/audit_cost.h"
#include "pool/types/candidate.h"
#include "pool/util/sha256.h"
#include "train/lm/space/lm_search_space.h"

namespace cultivar {
namespace {

using testing::HasSubstr;

Space space() { return *Space::make(lm_genes(), lm_constraints()); }

// 200 steps of a run of 600 s.
Run honest() {
    Run run;
    run.task = std::string(64, '7');
    run.toml = "data.tokens_per_step = 4096\n";
    run.candidate = parse_canonical(space(), run.task, run.toml)->id;
    run.budget_s = 600;
    run.steps = 200;
    run.tokens = 200 * 4096;
    run.train_s = 599;
    run.wall_s = 610;
    for (int step = 0; step < kTraceSteps; ++step) {
        run.trace_elapsed_s.push_back(3.0 * step);
        run.trace_loss.push_back(7 - 0.1 * step);
    }
    run.curve = {{10, 3, 6.5}, {300, 100, 3.5}, {599, 200, 3.0}};
    run.artifact = sha256_hex("weights");
    run.artifact_bytes = 7;
    return run;
}

std::string problem(const Run& run) {
    auto checked = check_structure(space(), run);
    return checked ? "" : checked.error().message;
}

TEST(Structure, OfAnHonestRunIsSound) {
    EXPECT_EQ(problem(honest()), "");
    EXPECT_TRUE(check_weights(honest(), "weights"));
    EXPECT_TRUE(is_replayable(honest()));
}

TEST(Structure, FindsTokensThatTheStepsCannotHaveTaken) {
    cultivar::Run run = honest();
    run.tokens += 4096;
    EXPECT_THAT(problem(run), HasSubstr("its configuration takes 4096 a step"));
}

TEST(Structure, FindsAClockThatNoneCouldShow) {
    cultivar::Run back = honest(), late = honest(), beyond = honest(), uneven = honest(), below = honest();
    back.trace_elapsed_s[5] = back.trace_elapsed_s[4] - 1;
    late.trace_elapsed_s.front() = 0.5;
    beyond.trace_elapsed_s.back() = 700;
    for (const cultivar::Run& run : {back, late, beyond})
        EXPECT_THAT(problem(run), HasSubstr("a clock that none could show"));
    uneven.trace_loss.pop_back();
    EXPECT_THAT(problem(uneven), HasSubstr("one loss for each step"));
    below.trace_loss[2] = -1;
    EXPECT_THAT(problem(below), HasSubstr("a loss below 0"));
}

TEST(Structure, FindsMoreTraceThanSteps) {
    cultivar::Run run = honest();
    run.steps = 20;
    run.tokens = 20 * 4096;
    run.curve.clear();
    EXPECT_THAT(problem(run), HasSubstr("more than it made"));
}

TEST(Structure, FindsACurveThatGoesBack) {
    cultivar::Run run = honest();
    run.curve[1].step = 250;
    EXPECT_THAT(problem(run), HasSubstr("goes back in time"));
    run = honest();
    run.curve.back().step = 201;
    EXPECT_THAT(problem(run), HasSubstr("beyond its last step"));
}

TEST(Structure, AsksNoTraceOfARunThatWasTold) {
    cultivar::Run told = honest();
    told.tokens = 0;
    told.trace_elapsed_s.clear();
    told.trace_loss.clear();
    told.curve.clear();
    EXPECT_EQ(problem(told), "");
    EXPECT_FALSE(is_replayable(told));
    EXPECT_EQ(replay_steps(told), 0);
}

TEST(Structure, OfWeightsIsTheirDigestAndSize) {
    EXPECT_THAT(check_weights(honest(), "weighty").error().message, HasSubstr("another digest"));
    EXPECT_THAT(check_weights(honest(), "weights and more").error().message, HasSubstr("16 bytes, its record says 7"));
}

double replay_s(const cultivar::Run& run) {
    return kStart_s + run.train_s / static_cast<double>(run.steps) * replay_steps(run);
}

TEST(AuditCost, StaysWithinItsSharesOfALongRun) {
    const cultivar::Run run = honest();
    for (double targets : {1e4, 1e5, 1e6}) {
        const AuditCost effort =
            rescore_effort(run, run.wall_s, targets, ScoredParts::slice_and_hold_out, AuditExtent::sample);
        EXPECT_GE(effort.slice_chunks, kFewestChunks);
        if (effort.slice_chunks > kFewestChunks) {
            EXPECT_LE(effort.expected_s, kCheapShare * run.wall_s) << targets;
        }
    }
    EXPECT_EQ(rescore_effort(run, run.wall_s, 1e4, ScoredParts::slice_and_hold_out, AuditExtent::sample).slice_chunks,
              kUsualChunks);
    EXPECT_EQ(rescore_effort(run, run.wall_s, 1e6, ScoredParts::slice_and_hold_out, AuditExtent::sample).slice_chunks,
              kFewestChunks);
    EXPECT_LE(replay_s(run), kReplayShare * run.wall_s);
}

TEST(AuditCost, TakesFewerStepsWhereStepsAreLong) {
    cultivar::Run run = honest();
    EXPECT_LT(replay_steps(run), kTraceSteps);
    run.steps = 20'000;
    run.tokens = 20'000 * 4096;
    EXPECT_EQ(replay_steps(run), kTraceSteps);
    run.train_s = 1;
    run.wall_s = 1;
    EXPECT_EQ(replay_steps(run), kFewestSteps) << "a run of a second pays for no worker's start";
}

// A wall time of 30 years: words of a stranger.
TEST(AuditCost, IsBoundedByTheBudgetWhateverARecordSays) {
    cultivar::Run run = honest();
    run.wall_s = 1e9;
    EXPECT_LE(replay_s(run), run.budget_s);
}

TEST(AuditCost, OfWhatIsJudgedInFullIsEveryChunk) {
    EXPECT_EQ(rescore_effort(honest(), 1, 1e6, ScoredParts::slice_and_hold_out, AuditExtent::whole).slice_chunks,
              kScoreChunks);
    EXPECT_EQ(rescore_effort(honest(), 600, 1e4, ScoredParts::slice, AuditExtent::sample).hold_out_chunks, 0);
}

}  // namespace
}  // namespace cultivar
