#include "eval/statistics/significance.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace cultivar {
namespace {

// Student's sleep data (1908). The figures below are those that R's manual prints for t.test on it.
const std::vector<double> kFirst{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
const std::vector<double> kSecond{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};

std::vector<double> differences() {
    std::vector<double> result;
    for (std::size_t i = 0; i < kFirst.size(); ++i) result.push_back(kFirst[i] - kSecond[i]);
    return result;
}

TEST(Significance, WelchsTestAgreesWithR) {
    auto test = welch_test(kFirst, kSecond);
    ASSERT_TRUE(test);
    EXPECT_NEAR(test->t, -1.860813467486853, 1e-12);
    EXPECT_NEAR(test->degrees_of_freedom, 17.776473516178488, 1e-9);
    EXPECT_NEAR(test->two_sided(), 0.07939414018735846, 1e-9);
    EXPECT_NEAR(test->p, 0.07939414018735846 / 2, 1e-9);
    EXPECT_NEAR(welch_test(kSecond, kFirst)->p, 1 - test->p, 1e-12);
    auto interval = difference_interval(kFirst, kSecond, 0.95);
    ASSERT_TRUE(interval);
    EXPECT_NEAR(interval->low, -0.2054832, 1e-7);
    EXPECT_NEAR(interval->high, 3.3654832, 1e-7);
}

TEST(Significance, OneSampleTestAndIntervalAgreeWithR) {
    auto test = t_test(differences(), 0);
    ASSERT_TRUE(test);
    EXPECT_NEAR(test->t, -4.062127683382037, 1e-12);
    EXPECT_EQ(test->degrees_of_freedom, 9);
    EXPECT_NEAR(test->two_sided(), 0.0028328901973885268, 1e-10);
    auto interval = mean_interval(differences(), 0.95);
    ASSERT_TRUE(interval);
    EXPECT_NEAR(interval->low, -2.4598858, 1e-7);
    EXPECT_NEAR(interval->high, -0.7001142, 1e-7);
}

TEST(Significance, NormalDistributionAgreesWithTables) {
    EXPECT_NEAR(normal_cdf(-3), 0.0013498980316301035, 1e-15);
    EXPECT_NEAR(normal_cdf(1), 0.8413447460685429, 1e-15);
    EXPECT_EQ(normal_cdf(0), 0.5);
    EXPECT_NEAR(normal_quantile(0.001), -3.090232306167813, 1e-12);
    EXPECT_NEAR(normal_quantile(0.025), -1.9599639845400538, 1e-12);
    EXPECT_NEAR(normal_quantile(0.99), 2.3263478740408408, 1e-12);
    EXPECT_EQ(normal_quantile(0), -std::numeric_limits<double>::infinity());
    EXPECT_EQ(normal_quantile(1), std::numeric_limits<double>::infinity());
}

TEST(Significance, MomentsAreThoseOfTheSample) {
    Moments first = moments(kFirst);
    EXPECT_EQ(first.count, 10);
    EXPECT_NEAR(first.mean, 0.75, 1e-12);
    EXPECT_NEAR(first.deviation, 1.7890096577591625, 1e-12);
    // A large offset costs no digits.
    std::array<double, 3> far{1e9 + 1, 1e9 + 2, 1e9 + 3};
    EXPECT_NEAR(moments(far).deviation, 1, 1e-6);
    EXPECT_EQ(moments({}).count, 0);
}

TEST(Significance, RefusesTooFewOrSenselessValues) {
    std::array<double, 1> one{1};
    std::array<double, 2> broken{1, std::numeric_limits<double>::quiet_NaN()};
    std::array<double, 2> two{1, 2};
    EXPECT_EQ(t_test(one, 0).error().code, Code::usage);
    EXPECT_EQ(t_test(broken, 0).error().code, Code::usage);
    EXPECT_EQ(t_test(two, std::numeric_limits<double>::infinity()).error().code, Code::usage);
    EXPECT_EQ(welch_test(two, one).error().code, Code::usage);
    EXPECT_EQ(mean_interval(two, 1).error().code, Code::usage);
    EXPECT_EQ(difference_interval(two, two, 1).error().code, Code::usage);
    EXPECT_EQ(mean_interval(two, 0).error().code, Code::usage);
}

TEST(Significance, IsCertainWhereNothingVaries) {
    std::array<double, 2> low{1, 1}, high{2, 2};
    EXPECT_EQ(welch_test(low, high)->p, 0);
    EXPECT_EQ(welch_test(high, low)->p, 1);
    EXPECT_EQ(welch_test(low, low)->p, 0.5);
    EXPECT_EQ(t_test(low, 1.5)->p, 0);
}

TEST(Record, TakesTheGainAndTheConfidenceOfThePoolsRule) {
    const RecordRule rule{0.005, 0.01, 3};
    const std::vector<double> standing = {3.280, 3.281, 3.279};
    const std::vector<double> clear = {3.269, 3.270, 3.268}, small = {3.277, 3.278, 3.276};
    auto won = test_record(clear, standing, rule);
    ASSERT_TRUE(won);
    EXPECT_TRUE(won->record);
    EXPECT_NEAR(won->gain, 0.011, 1e-12);
    // 0.003 nats are significant, but less than the gain that the rule requires.
    ASSERT_TRUE(welch_test(small, standing));
    EXPECT_LT(welch_test(small, standing)->p, 0.02);
    EXPECT_FALSE(test_record(small, standing, rule)->record);
}

TEST(Record, IsNeitherOneLuckySeedNorTooFew) {
    const RecordRule rule{0.005, 0.01, 3};
    const std::vector<double> standing = {3.280, 3.281, 3.279};
    EXPECT_FALSE(test_record(std::vector<double>{3.20, 3.29, 3.28}, standing, rule)->record);
    EXPECT_FALSE(test_record(std::vector<double>{3.200, 3.2001}, standing, rule)->record);
    EXPECT_FALSE(test_record(std::vector<double>{3.2}, standing, rule));
}

// No candidate is better than the standing record. The challenger shows the one of fifty candidates with the best own
// runs.
TEST(Record, IsWhatFreshSeedsSayNotWhatWasPickedForItsScores) {
    const RecordRule rule{0, 0.01, 3};
    constexpr int kTrials = 1000, kCandidates = 50;
    std::mt19937 random(11);
    std::normal_distribution<double> score(3.28, 0.003);
    const auto three = [&] { return std::vector<double>{score(random), score(random), score(random)}; };
    int by_its_own = 0, by_fresh_seeds = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
        const std::vector<double> standing = three();
        std::vector<double> picked = three();
        for (int candidate = 1; candidate < kCandidates; ++candidate) {
            const std::vector<double> other = three();
            if (moments(other).mean < moments(picked).mean) picked = other;
        }
        by_its_own += test_record(picked, standing, rule)->record ? 1 : 0;
        by_fresh_seeds += test_record(three(), standing, rule)->record ? 1 : 0;
    }
    EXPECT_GT(by_its_own, 4 * kTrials / 100);
    EXPECT_LE(by_fresh_seeds, kTrials / 100);
}

}  // namespace
}  // namespace cultivar
