#include "bandit/space/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

namespace cultivar {
namespace {

struct Shape {
    double mean = 0, variance = 0;
};

Shape shape_of(const std::function<double()>& draw) {
    constexpr int kDraws = 200000;
    double sum = 0, squares = 0;
    for (int i = 0; i < kDraws; ++i) {
        double value = draw();
        sum += value;
        squares += value * value;
    }
    double mean = sum / kDraws;
    return {mean, squares / kDraws - mean * mean};
}

// Outputs of the reference implementations by Vigna (prng.di.unimi.it).
TEST(Random, IsXoshiro256StarStarAsPublished) {
    Random random(std::array<std::uint64_t, 4>{1, 2, 3, 4});
    for (std::uint64_t expected : {11520ULL, 0ULL, 1509978240ULL, 1215971899390074240ULL, 1216172134540287360ULL,
                                   607988272756665600ULL, 16172922978634559625ULL, 8476171486693032832ULL})
        EXPECT_EQ(random.next(), expected);
}

TEST(Random, FillsItsStateWithSplitmix64AsPublished) {
    std::uint64_t state = 1234567;
    for (std::uint64_t expected : {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL,
                                   4593380528125082431ULL, 16408922859458223821ULL})
        EXPECT_EQ(splitmix64(state), expected);
}

TEST(Random, RepeatsForASeedAndDiffersBetweenSeeds) {
    Random a(7), b(7), c(8);
    std::uint64_t first = a.next();
    EXPECT_EQ(first, b.next());
    EXPECT_NE(first, c.next());
}

TEST(Random, DrawsUniformAndNormalNumbersWithTheirMoments) {
    Random random(1);
    Shape uniform = shape_of([&] { return random.uniform(); });
    EXPECT_NEAR(uniform.mean, 0.5, 0.003);
    EXPECT_NEAR(uniform.variance, 1.0 / 12, 0.001);
    Shape normal = shape_of([&] { return random.normal(); });
    EXPECT_NEAR(normal.mean, 0, 0.01);
    EXPECT_NEAR(normal.variance, 1, 0.02);
}

TEST(Random, DrawsGammaAndBetaNumbersWithTheirMoments) {
    Random random(2);
    for (double shape : {0.3, 1.0, 4.5}) {
        Shape gamma = shape_of([&] { return random.gamma(shape); });
        EXPECT_NEAR(gamma.mean, shape, 0.02 * shape + 0.01);
        EXPECT_NEAR(gamma.variance, shape, 0.05 * shape + 0.02);
    }
    Shape beta = shape_of([&] { return random.beta(2, 6); });
    EXPECT_NEAR(beta.mean, 0.25, 0.003);
    EXPECT_NEAR(beta.variance, 2.0 * 6 / (8 * 8 * 9), 0.001);
}

TEST(Random, CountsBelowABoundEvenly) {
    Random random(3);
    std::vector<int> counts(6);
    for (int i = 0; i < 60000; ++i) ++counts[random.below(6)];
    for (int count : counts) EXPECT_NEAR(count, 10000, 400);
}

TEST(Random, PicksInProportionToWeightsAndNeverAWeightOfZero) {
    Random random(4);
    std::vector<double> weights{1, 0, 3};
    std::vector<int> counts(3);
    for (int i = 0; i < 40000; ++i) ++counts[random.pick(weights)];
    EXPECT_EQ(counts[1], 0);
    EXPECT_NEAR(counts[2], 30000, 400);
    std::vector<double> nothing{0, 0};
    EXPECT_LT(random.pick(nothing), 2U);
}

}  // namespace
}  // namespace cultivar
