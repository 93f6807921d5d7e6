#include "eval/judge/certainty.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cultivar {
namespace {

using testing::HasSubstr;

TEST(Certainty, IsFullOnlyOnceAllThatWasDueIsDone) {
    const PlannedAudit light{Tier::rescore, AuditExtent::sample}, replay{Tier::replay, AuditExtent::sample},
        full{Tier::rerun, AuditExtent::in_full}, waits{Tier::replay, AuditExtent::in_full, true};
    EXPECT_EQ(settled_certainty(replay, {Tier::replay}), Certainty::accepted);
    EXPECT_EQ(settled_certainty(full, {Tier::rerun}), Certainty::accepted);
    EXPECT_EQ(settled_certainty(full, {Tier::replay}), Certainty::provisional) << "its rerun came to nothing";
    EXPECT_EQ(settled_certainty(waits, {Tier::replay}), Certainty::provisional);
    EXPECT_EQ(settled_certainty(replay, {Tier::replay, true, true}), Certainty::provisional) << "its gap is open";
    EXPECT_EQ(settled_certainty(full, {Tier::rerun, true, true}), Certainty::accepted)
        << "nobody saw the slice in a verifier's own training";
    EXPECT_EQ(settled_certainty(full, {Tier::rerun, false, true, true}), Certainty::provisional)
        << "a pool's own program may have seen the file each time";
    EXPECT_EQ(settled_certainty(full, {Tier::rerun, false, false, true}), Certainty::accepted);
    EXPECT_EQ(settled_certainty(light, {Tier::rescore}), Certainty::accepted) << "spared by the lot";
    EXPECT_EQ(settled_certainty(light, {Tier::rescore, false}), Certainty::scored) << "the lot spared nothing";
    EXPECT_EQ(settled_certainty(full, {Tier::rescore, false}), Certainty::scored);
}

// Whatever machine of the category the verifier has, and whatever machine cheats.
TEST(Pace, FindsTenTimesTheComputeOnAnyMachineOfTheCategoryAndNoHonestOne) {
    const Category category = category_named("cpu-1s-e10");
    for (double here : {1.0e10, 1.8e10, 3.1e10}) {
        for (double there : {1.0e10, 1.8e10, 3.1e10}) {
            const double here_step_s = 0.01, there_step_s = here_step_s * here / there;
            EXPECT_EQ(too_fast_for(category, {there_step_s, here_step_s, here}), "");
            EXPECT_EQ(too_fast_for(category, {there_step_s, 1.9 * here_step_s, here}), "") << "a busy verifier";
            EXPECT_THAT(too_fast_for(category, {there_step_s / 10, here_step_s, here}),
                        HasSubstr("times as fast as any machine of cpu-1s-e10"));
        }
    }
    EXPECT_EQ(too_fast_for(category_named("friends"), {1e-9, 1, 1e10}), "") << "it tells no speed";
    EXPECT_EQ(too_fast_for(category, {0, 1, 1e10}), "");
    EXPECT_EQ(too_fast_for(category, {1e-9, 0, 1e10}), "") << "too few steps to measure";
}

}  // namespace
}  // namespace cultivar
