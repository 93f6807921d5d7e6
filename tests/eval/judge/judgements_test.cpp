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

// Else anybody's older weights would stand for a run that was never made.
TEST(Rescore, RejectsWeightsThatAreBetterThanTheirRunClaims) {
    const std::vector<double> honest = sums_of(2);
    const std::vector<int> chunks = draw_chunks(8);
    const auto judgement = judge_rescore(edited(honest, -0.001), chunks, at(honest, chunks), kTargets, kBytes);
    EXPECT_FALSE(judgement.accepted);
    EXPECT_THAT(judgement.reason, HasSubstr("not its run's"));
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

// The accuracy on 200 examples moves in steps of 0.005: nine models that all lose one step elsewhere tell nothing finer.
TEST(HoldOutGap, OfAMetricThatMovesInStepsIsUsualWithinAFewOfThem) {
    std::vector<Gap> others;
    for (int i = 0; i < 9; ++i) others.push_back({-0.9 + 0.005 * i, -0.9 + 0.005 * i + 0.005});
    const GapScale scale{0, true};
    EXPECT_TRUE(judge_gap({-0.93, -0.91}, others, scale).honest);
    const auto seen = judge_gap({-0.93, -0.8366666}, others, scale);
    EXPECT_TRUE(seen.judged);
    EXPECT_FALSE(seen.honest) << seen.reason;
    EXPECT_EQ(seen.gap_bpb, 0.0933) << "three digits, which hide little";
    EXPECT_THAT(seen.reason, HasSubstr("a gap of +0.0933 where 9 others make +0.005 usual"));
    EXPECT_TRUE(judge_gap({-0.93, -0.8366666}, others, {0.05, true}).honest) << "scores may differ by that much";
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

TEST(HoldOutGap, OfTheHonestIsNotMadeUnusualByOthersFarBelow) {
    Random random(7);
    std::vector<Gap> others = pool_of(15, 0.002, random);
    for (int one : {3, 8, 11}) others[static_cast<std::size_t>(one)].hold_out_bpb -= 0.08;
    const Gap claim = pool_of(1, 0.002, random).front();
    const auto judgement = judge_gap(claim, others);
    EXPECT_EQ(judgement.others, 12);
    EXPECT_NEAR(judgement.usual_bpb, 0.1 - 0.2 * (claim.slice_bpb - 2), 0.005);
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

// As if candidates had been replicated until this many degrees of freedom were known, at this spread.
SeedSpread known(int degrees, double spread) { return {degrees * spread * spread, degrees}; }

TEST(Rerun, AcceptsWhatSeedsExplainAndRejectsWhatTheyDoNot) {
    const std::vector<double> near = {2.01}, far = {2.2};
    EXPECT_TRUE(judge_rerun(2.0, 3, near, known(20, 0.005)).accepted);
    const auto judgement = judge_rerun(2.0, 3, far, known(20, 0.005));
    EXPECT_FALSE(judgement.accepted);
    EXPECT_THAT(judgement.reason, HasSubstr("1 fresh seed scores 2.2000 where 2.0000 was claimed, 0.0"));
    EXPECT_THAT(judgement.reason, HasSubstr("from 20 replicates of others"));
    const std::vector<double> better = {1.5};
    EXPECT_TRUE(judge_rerun(2.0, 3, better, known(20, 0.005)).accepted);
    EXPECT_FALSE(judge_rerun(2.0, 3, {}, known(20, 0.005)).accepted) << "nothing was trained";
}

TEST(Rerun, AllowsMoreTheOftenerItLooks) {
    const std::vector<double> fresh = {2.03};
    const double once = judge_rerun(2.0, 3, fresh, known(20, 0.005)).allowed_bpb;
    const double thrice = judge_rerun(2.0, 3, fresh, known(20, 0.005), 3).allowed_bpb;
    EXPECT_GT(thrice, once);
    EXPECT_LT(thrice, 1.2 * once);
}

// Student's quantiles by numerical integration: t(3; 0.999) = 10.214532, t(24; 0.999) = 3.466777.
TEST(Rerun, AllowsWhatTheFormulaOfItsHeaderSays) {
    const std::vector<double> one = {2.0}, two = {2.0, 2.004};
    const auto unknown = judge_rerun(1.9, 1, one, {});
    EXPECT_NEAR(unknown.sigma_bpb, 0.01, 1e-12);
    EXPECT_NEAR(unknown.allowed_bpb, 0.153455, 1e-5);
    const auto some = judge_rerun(1.99, 2, two, known(20, 0.002), 1);
    EXPECT_NEAR(some.sigma_bpb, 0.00512040, 1e-7);
    EXPECT_NEAR(some.allowed_bpb, 0.9 * 0.00512040 + 3.745398 * 0.00512040, 1e-6) << "two looks: t(24; 0.9995)";
}

TEST(Rerun, FindsALieWhereNothingWasEverReplicated) {
    const std::vector<double> first = {2.34}, all = {2.34, 2.30, 2.03};
    EXPECT_FALSE(judge_rerun(1.18, 1, first, {}, 3).accepted) << "already at the first seed";
    const auto judgement = judge_rerun(1.18, 1, all, {}, 3);
    EXPECT_FALSE(judgement.accepted) << judgement.reason;
    EXPECT_LT(judgement.allowed_bpb, 2.2233 - 1.18);
}

TEST(Rerun, LearnsFromTheFreshSeedsHowMuchOneRunVaries) {
    const std::vector<double> calm = {2.2, 2.2001, 2.2002}, wild = {2.1, 2.2, 2.3};
    EXPECT_LT(judge_rerun(2.1, 1, calm, {}, 3).allowed_bpb, 0.1);
    EXPECT_GT(judge_rerun(2.1, 1, wild, {}, 3).allowed_bpb, 0.3);
}

TEST(Rerun, LearnsLittleFromOneCandidateThatVariesWildly) {
    SeedSpread spread;
    spread.add(std::vector<double>{2.0, 9.0, 4.0});
    EXPECT_EQ(spread.degrees, 2);
    EXPECT_NEAR(spread.squares, 2 * kMostSpread * kMostSpread, 1e-15);
    spread.add(std::vector<double>{2.0});
    EXPECT_EQ(spread.degrees, 2) << "one score tells nothing of its spread";
    spread.add(std::vector<double>{1.0, 1.002});
    EXPECT_NEAR(spread.squares - 2 * kMostSpread * kMostSpread, 2e-6 / (1.001 * 1.001), 1e-12);
}

// Of `count` claims of one run, the number that three fresh seeds reject at one of three looks. Claims are `lie` too
// good, as a share of the score.
int rejected(int count, double spread, int replicates, double lie, Random& random) {
    int found = 0;
    for (int claim = 0; claim < count; ++claim) {
        SeedSpread others;
        for (int i = 0; i < replicates; ++i)
            others.add(std::vector<double>{1 + spread * random.normal(), 1 + spread * random.normal()});
        const double claimed = 2 * (1 - lie + spread * random.normal());
        std::vector<double> fresh;
        bool accepted = true;
        while (accepted && fresh.size() < 3) {
            fresh.push_back(2 * (1 + spread * random.normal()));
            accepted = judge_rerun(claimed, 1, fresh, others, 3).accepted;
        }
        found += !accepted;
    }
    return found;
}

// The prior was chosen with other seeds than this one.
TEST(Rerun, RejectsFewHonestClaimsWhateverTheSpread) {
    Random random(20261129);
    for (double spread : {0.0003, 0.002, 0.005}) {
        EXPECT_LE(rejected(4000, spread, 0, 0, random), 3) << spread << ", nothing replicated";
        EXPECT_LE(rejected(4000, spread, 20, 0, random), 8) << spread;
    }
    EXPECT_LE(rejected(4000, 0.015, 0, 0, random), 12) << "of small models on a busy laptop";
    EXPECT_LE(rejected(4000, 0.015, 20, 0, random), 8);
}

TEST(Rerun, FindsLiesThatSeedsDoNotExplain) {
    Random random(20261130);
    EXPECT_GE(rejected(1000, 0.002, 0, 0.1, random), 995);
    EXPECT_GE(rejected(1000, 0.005, 0, 0.1, random), 990);
    EXPECT_GE(rejected(1000, 0.015, 0, 0.2, random), 950);
    EXPECT_GE(rejected(1000, 0.002, 20, 0.02, random), 990);
}

}  // namespace
}  // namespace cultivar
