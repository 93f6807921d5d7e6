// Tests the judgements of the tiers: rescore, hold-out gap, rerun.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <set>

#include "bandit/space/random.h"
#include "eval/judge/hold_out_gap.h"
#include "eval/judge/rerun_test.h"
#include "eval/judge/rescore_test.h"

namespace cultivar {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kTargets = 64 * 1024, kBytes = 64 * 1024;

// Chunk sums of a model with `bpb`; each chunk has another difficulty.
std::vector<double> sums_of(double bpb) {
    std::vector<double> sums;
    for (int chunk = 0; chunk < 64; ++chunk)
        sums.push_back(bpb * std::numbers::ln2 * 1024 * (1 + 0.1 * std::sin(chunk)));
    return sums;
}

std::vector<double> at(const std::vector<double>& sums, const std::vector<int>& chunks) {
    std::vector<double> picked;
    for (int chunk : chunks) picked.push_back(sums[static_cast<std::size_t>(chunk)]);
    return picked;
}

std::vector<double> edited(std::vector<double> sums, double by_bpb) {
    for (double& sum : sums) sum -= by_bpb * std::numbers::ln2 * 1024;
    return sums;
}

TEST(Rescore, AcceptsWhatAnotherMachineRoundsOtherwise) {
    const std::vector<double> honest = sums_of(2);
    std::vector<double> elsewhere = honest;
    for (double& sum : elsewhere) sum *= 1 + 1e-6;
    const std::vector<int> chunks = draw_chunks(8);
    const RescoreJudgement judgement = judge_rescore(honest, chunks, at(elsewhere, chunks), kTargets, kBytes);
    EXPECT_TRUE(judgement.accepted) << judgement.reason;
    EXPECT_THAT(judgement.reason, HasSubstr("8 of 64 chunks"));
}

TEST(Rescore, RejectsAScoreEditedByAThousandthWhateverChunksAreDrawn) {
    const std::vector<double> honest = sums_of(2);
    for (int draw = 0; draw < 200; ++draw) {
        const std::vector<int> chunks = draw_chunks(8);
        const auto judgement = judge_rescore(edited(honest, 0.001), chunks, at(honest, chunks), kTargets, kBytes);
        EXPECT_FALSE(judgement.accepted) << judgement.reason;
    }
}

TEST(Rescore, OfEveryChunkFindsAnEditOfASingleOne) {
    const std::vector<double> honest = sums_of(2);
    std::vector<double> claimed = honest;
    claimed[17] -= 0.01 * std::numbers::ln2 * 1024;  // 0.00016 over all: within the tolerance of the mean
    const std::vector<int> all = draw_chunks(64);
    const auto judgement = judge_rescore(claimed, all, at(honest, all), kTargets, kBytes);
    EXPECT_FALSE(judgement.accepted);
    EXPECT_THAT(judgement.reason, HasSubstr("chunk 17"));
}

TEST(Rescore, StatesAnIntervalThatHoldsTheTruthAndNarrowsToItWithAllChunks) {
    const std::vector<double> honest = sums_of(2);
    std::vector<double> claimed = honest;
    for (std::size_t i = 0; i < claimed.size(); i += 2) claimed[i] -= 0.002 * std::numbers::ln2 * 1024;
    int held = 0;
    for (int draw = 0; draw < 400; ++draw) {
        const std::vector<int> chunks = draw_chunks(16);
        const auto judgement = judge_rescore(claimed, chunks, at(honest, chunks), kTargets, kBytes);
        double truth = 0;
        for (double sum : honest) truth += sum / std::numbers::ln2 / kBytes;
        held += judgement.low_bpb <= truth && truth <= judgement.high_bpb;
    }
    EXPECT_GE(held, 360);  // of 380 expected
    const std::vector<int> all = draw_chunks(64);
    const auto judgement = judge_rescore(claimed, all, at(honest, all), kTargets, kBytes);
    EXPECT_NEAR(judgement.low_bpb, judgement.high_bpb, 1e-12);
}

TEST(Rescore, DoesNotTakeNotANumberForAScore) {
    const std::vector<double> honest = sums_of(2);
    const std::vector<int> chunks = {1, 2};
    EXPECT_FALSE(judge_rescore(honest, chunks, {std::nan(""), 1}, kTargets, kBytes).accepted);
}

TEST(Draw, TakesDifferentChunksInOrderAndNotTheSameTwice) {
    std::set<std::vector<int>> drawn;
    for (int i = 0; i < 20; ++i) {
        const std::vector<int> chunks = draw_chunks(16);
        EXPECT_EQ(std::set<int>(chunks.begin(), chunks.end()).size(), 16U);
        EXPECT_TRUE(std::is_sorted(chunks.begin(), chunks.end()));
        drawn.insert(chunks);
        EXPECT_GE(draw_lot(), 0);
        EXPECT_LT(draw_lot(), 1);
    }
    EXPECT_GT(drawn.size(), 15U);
}

// A pool's candidates: better models gain less on the hold-out, scattered by `spread`.
std::vector<Gap> pool_of(int count, double spread, Random& random) {
    std::vector<Gap> gaps;
    for (int i = 0; i < count; ++i) {
        const double slice = 2 + 0.5 * random.uniform();
        gaps.push_back({slice, slice + 0.1 - 0.2 * (slice - 2) + spread * random.normal()});
    }
    return gaps;
}

TEST(HoldOutGap, IsNotJudgedAmongTooFew) {
    Random random(1);
    const auto judgement = judge_gap({2.0, 3.0}, pool_of(kFewestOthers - 1, 0.001, random));
    EXPECT_FALSE(judgement.judged);
    EXPECT_TRUE(judgement.honest);
    EXPECT_THAT(judgement.reason, HasSubstr("too few"));
}

TEST(HoldOutGap, OfAModelThatSawTheSliceIsFound) {
    Random random(2);
    for (int i = 0; i < 100; ++i) {
        const std::vector<Gap> others = pool_of(12, 0.002, random);
        Gap claim = pool_of(1, 0.002, random).front();
        claim.slice_bpb -= 0.05;
        const auto judgement = judge_gap(claim, others);
        EXPECT_TRUE(judgement.judged);
        EXPECT_FALSE(judgement.honest) << judgement.reason;
    }
}

TEST(HoldOutGap, OfTheHonestRaisesNoMoreAlarmsThanItPromises) {
    Random random(3);
    int alarms = 0;
    constexpr int kClaims = 20'000;
    for (int i = 0; i < kClaims; ++i) {
        const std::vector<Gap> others = pool_of(kFewestOthers + i % 20, 0.004, random);
        alarms += !judge_gap(pool_of(1, 0.004, random).front(), others).honest;
    }
    EXPECT_LE(alarms, 12) << "2 are expected of so many";
}

TEST(HoldOutGap, IsNotHiddenByOthersThatCheatToo) {
    Random random(4);
    std::vector<Gap> others = pool_of(15, 0.002, random);
    for (int cheat : {3, 8, 11}) others[static_cast<std::size_t>(cheat)].slice_bpb -= 0.08;
    Gap claim = pool_of(1, 0.002, random).front();
    EXPECT_TRUE(judge_gap(claim, others).honest);
    claim.slice_bpb -= 0.05;
    const auto judgement = judge_gap(claim, others);
    EXPECT_EQ(judgement.others, 12);
    EXPECT_FALSE(judgement.honest) << judgement.reason;
}

TEST(HoldOutGap, FollowsTheLineToScoresThatNobodyHadYet) {
    Random random(5);
    const std::vector<Gap> others = pool_of(20, 0.002, random);
    const double slice = 1.9;
    EXPECT_TRUE(judge_gap({slice, slice + 0.1 - 0.2 * (slice - 2)}, others).honest);
}

TEST(HoldOutGap, BelowTheUsualIsNoFraud) {
    Random random(6);
    Gap claim = pool_of(1, 0.002, random).front();
    claim.hold_out_bpb -= 0.2;
    EXPECT_TRUE(judge_gap(claim, pool_of(12, 0.002, random)).honest);
}

TEST(Rerun, AcceptsWhatSeedsExplainAndRejectsWhatTheyDoNot) {
    const std::vector<double> near = {2.01}, far = {2.2};
    EXPECT_TRUE(judge_rerun(2.0, 3, near, 0.01, 20).accepted);
    const auto judgement = judge_rerun(2.0, 3, far, 0.01, 20);
    EXPECT_FALSE(judgement.accepted);
    EXPECT_THAT(judgement.reason, HasSubstr("1 fresh seed scores 2.2000 where 2.0000 was claimed"));
    const std::vector<double> better = {1.5};
    EXPECT_TRUE(judge_rerun(2.0, 3, better, 0.01, 20).accepted);
}

TEST(Rerun, AllowsMoreTheOftenerItLooks) {
    const std::vector<double> fresh = {2.03};
    const double once = judge_rerun(2.0, 3, fresh, 0.01, 20).allowed_bpb;
    const double thrice = judge_rerun(2.0, 3, fresh, 0.01, 20, 3).allowed_bpb;
    EXPECT_GT(thrice, once);
    EXPECT_LT(thrice, 1.2 * once);
}

TEST(Rerun, ConcludesNothingFromASpreadThatNobodyMeasured) {
    const std::vector<double> far = {2.2};
    EXPECT_TRUE(judge_rerun(2.0, 1, far, 0.01, 0).accepted);
}

}  // namespace
}  // namespace cultivar
