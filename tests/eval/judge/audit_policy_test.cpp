#include "eval/judge/audit_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cultivar {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TrackRecord trusted(int valid) { return {.known_key = true, .valid_in_a_row = valid}; }

TEST(AuditPlan, OfAWouldBeBestOrAMuchUsedParentOrAnOddClaimIsInFullWhateverTheTrust) {
    for (const ClaimImpact& impact : {ClaimImpact{.best = true}, ClaimImpact{.children = kMuchUsed},
                                      ClaimImpact{.children = 100}, ClaimImpact{.odd = true}}) {
        for (double lot : {0.0, 0.5, 0.999}) {
            const AuditPlan plan = plan_for(impact, trusted(100'000), lot);
            EXPECT_EQ(plan.audit.tier, Tier::rerun);
            EXPECT_EQ(plan.audit.extent, AuditExtent::in_full);
            EXPECT_THAT(plan.why, StartsWith("in full: "));
        }
    }
    EXPECT_EQ(plan_for({.children = kMuchUsed - 1}, trusted(1000), 0.9).audit.tier, Tier::rescore);
}

TEST(AuditPlan, OfAKeyOnProbationIsAlwaysAReplay) {
    for (int valid = 0; valid < kProbation; ++valid) {
        EXPECT_EQ(replay_chance(trusted(valid)), 1) << valid;
        EXPECT_EQ(plan_for({}, trusted(valid), 0.999).audit.tier, Tier::replay) << valid;
    }
    EXPECT_THAT(plan_for({}, trusted(1), 0.9).why, HasSubstr("only 1 valid claim in a row"));
}

TEST(AuditPlan, WithoutAKeyIsNeverSparedHoweverManyClaimsWereValid) {
    const TrackRecord nobody{.known_key = false, .valid_in_a_row = 1'000'000};
    EXPECT_EQ(replay_chance(nobody), 1);
    const AuditPlan plan = plan_for({}, nobody, 0.999);
    EXPECT_EQ(plan.audit.tier, Tier::replay);
    EXPECT_EQ(plan.audit.extent, AuditExtent::whole);
}

TEST(AuditPlan, SparesAKeyMoreOftenTheMoreOfItsClaimsWereValidButNeverForGood) {
    double before = 1;
    for (int valid : {11, 20, 50, 100, 200}) {
        const double chance = replay_chance(trusted(valid));
        EXPECT_LT(chance, before) << valid;
        EXPECT_EQ(plan_for({}, trusted(valid), chance * 0.99).audit.tier, Tier::replay);
        EXPECT_EQ(plan_for({}, trusted(valid), chance * 1.01).audit.tier, Tier::rescore);
        before = chance;
    }
    EXPECT_EQ(replay_chance(trusted(1'000'000)), kLeastReplays);
}

TEST(AuditPlan, AfterABadClaimIsAReplayAgain) {
    EXPECT_LT(replay_chance(trusted(100)), 0.2);
    EXPECT_EQ(replay_chance(trusted(0)), 1) << "a rejected claim makes the count 0";
}

TEST(AuditPlan, IsInFullByLotNowAndThen) {
    const double chance = replay_chance(trusted(50));
    EXPECT_EQ(plan_for({}, trusted(50), 0).audit.tier, Tier::rerun);
    EXPECT_EQ(plan_for({}, trusted(50), 0.99 * kFullByLot * chance).audit.tier, Tier::rerun);
    EXPECT_EQ(plan_for({}, trusted(50), 1.01 * kFullByLot * chance).audit.tier, Tier::replay);
}

TEST(Value, PutsWouldBeBestsFirstByTheirGainThenMuchUsedParents) {
    EXPECT_TRUE(more_valuable({.best = true, .gain = 0.1}, {.best = true, .gain = 0.01}));
    EXPECT_TRUE(more_valuable({.best = true, .gain = 0.001}, {.children = 50}));
    EXPECT_TRUE(more_valuable({.children = 5}, {.children = 4}));
    EXPECT_TRUE(more_valuable({.odd = true}, {}));
    EXPECT_FALSE(more_valuable({}, {}));
    EXPECT_FALSE(more_valuable({.gain = 0.5}, {.gain = 0.1})) << "a gain over nothing that stands";
}

TEST(Share, IsOfTheSearchAndWhatWasSpentIsGone) {
    const VerificationBudget share{.search_s = 10'000, .spent_s = 120, .share = 0.05};
    EXPECT_DOUBLE_EQ(share.allowed_s(), 500);
    EXPECT_DOUBLE_EQ(share.left_s(), 380);
    EXPECT_LT((VerificationBudget{.search_s = 100, .spent_s = 6, .share = 0.05}.left_s()), 0);
}

TEST(Share, LeavesKeysWithoutStandingAPartOfItAndAYoungPoolItsFirstBudgets) {
    const VerificationBudget young{.search_s = 0, .spent_s = 0, .share = 0.05, .first_s = 2400};
    EXPECT_DOUBLE_EQ(young.allowed_s(), 120);
    EXPECT_DOUBLE_EQ(young.unproven_s(), 120);
    const VerificationBudget grown{.search_s = 100'000, .spent_s = 0, .share = 0.05, .first_s = 0};
    EXPECT_DOUBLE_EQ(grown.unproven_s(), kUnprovenPart * grown.allowed_s());
}

TEST(Waiting, DoublesWithEachAttemptThatCameToNothing) {
    constexpr std::int64_t kThen_s = 1'795'240'000, kHour_s = 3600;
    EXPECT_TRUE(due_again(0, kThen_s, kThen_s));
    EXPECT_FALSE(due_again(1, kThen_s, kThen_s + kHour_s - 1));
    EXPECT_TRUE(due_again(1, kThen_s, kThen_s + kHour_s));
    EXPECT_FALSE(due_again(3, kThen_s, kThen_s + 4 * kHour_s - 1));
    EXPECT_TRUE(due_again(3, kThen_s, kThen_s + 4 * kHour_s));
    EXPECT_TRUE(due_again(1000, kThen_s, kThen_s + 31 * 24 * kHour_s)) << "never for ever";
    EXPECT_TRUE(due_again(5, kThen_s, kThen_s - kHour_s)) << "a clock that was ahead";
}

}  // namespace
}  // namespace cultivar
