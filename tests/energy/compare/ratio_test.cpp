// Against quantiles of Student's t from a printed table.
#include "energy/compare/ratio.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace cultivar {
namespace {

std::vector<double> powers(std::initializer_list<double> logs) {
    std::vector<double> costs;
    for (const double one : logs) costs.push_back(std::exp(one));
    return costs;
}

// Differences 0.1, 0.2 and 0.3: mean 0.2, deviation 0.1; t(0.975; 2) = 4.302653, so 0.2 -+ 0.248414.
TEST(LogRatio, OfPairs) {
    const auto ratio = log_ratio(powers({1.1, 2.2, 3.3}), powers({1, 2, 3}), true).value();
    EXPECT_NEAR(ratio.mean, 0.2, 1e-12);
    EXPECT_NEAR(ratio.low, -0.048414, 1e-6);
    EXPECT_NEAR(ratio.high, 0.448414, 1e-6);
    EXPECT_GE(ratio.bootstrap_low, 0.1 - 1e-12);
    EXPECT_LE(ratio.bootstrap_high, 0.3 + 1e-12);
}

// Two groups with deviation 1: error sqrt(2 / 3), 4 degrees of freedom, t = 2.776445, so 1 -+ 2.266958.
TEST(LogRatio, OfGroups) {
    const auto ratio = log_ratio(powers({1, 2, 3}), powers({0, 1, 2}), false).value();
    EXPECT_NEAR(ratio.mean, 1, 1e-12);
    EXPECT_NEAR(ratio.low, 1 - 2.266958, 1e-5);
    EXPECT_NEAR(ratio.high, 1 + 2.266958, 1e-5);
    EXPECT_NEAR(ratio.deviation, std::sqrt(2), 1e-12);
}

TEST(LogRatio, IsTheSameEachTimeAndCoversTheBootstrap) {
    const std::vector<double> first = powers({0, 0, 0, 3}), second = powers({1, 1.1, 1.2, 0.9});
    const auto one = log_ratio(first, second, false).value(), again = log_ratio(first, second, false).value();
    EXPECT_EQ(one.bootstrap_low, again.bootstrap_low);
    EXPECT_LE(one.low, one.bootstrap_low);
    EXPECT_GE(one.high, one.bootstrap_high);
}

TEST(LogRatio, NeedsTwoRepeatsAndCosts) {
    EXPECT_FALSE(log_ratio(powers({1}), powers({1, 2}), false));
    EXPECT_FALSE(log_ratio(std::vector<double>{0, 1}, powers({1, 2}), false));
    EXPECT_FALSE(log_ratio(powers({1, 2}), powers({1, 2, 3}), true));
}

// Deviation 0.1 and effect 0.2 of three pairs. Four: (3.182446 + 0.978472) x 0.1 / 2 = 0.208; five: (2.776445 + 0.940965) x
// 0.1 / 2.236 = 0.166, which is enough.
TEST(MoreRepeats, FollowFromThePower) {
    const auto ratio = log_ratio(powers({1.1, 2.2, 3.3}), powers({1, 2, 3}), true).value();
    EXPECT_EQ(more_repeats(ratio, 0.2), 2);
    EXPECT_EQ(more_repeats(ratio, 0), std::nullopt);
    EXPECT_EQ(more_repeats(ratio, 1e-9), std::nullopt);
}

}  // namespace
}  // namespace cultivar
