#include "bandit/model/gaussian_process.h"

#include <gtest/gtest.h>

#include <cmath>

#include "bandit/space/random.h"

namespace cultivar {
namespace {

const Axis kLine{true, 0.5}, kKind{false, 0.5};

TEST(GaussianProcess, KnowsNothingWithoutSamples) {
    GaussianProcess process({kLine, kKind}, {});
    Prediction prediction = process.at({0.5, 1});
    EXPECT_EQ(prediction.mean, 0);
    EXPECT_EQ(prediction.deviation, 1);
}

TEST(GaussianProcess, FollowsWhatItSawAndDoubtsWhatIsFarFromIt) {
    std::vector<Sample> samples;
    for (int i = 0; i <= 10; ++i) samples.push_back({{i / 20.0}, std::sin(6 * i / 20.0), 1});
    GaussianProcess process({kLine}, samples);
    for (double unit : {0.12, 0.33, 0.47}) EXPECT_NEAR(process.at({unit}).mean, std::sin(6 * unit), 0.1);
    EXPECT_LT(process.at({0.25}).deviation, 0.2);
    EXPECT_GT(process.at({1.0}).deviation, 3 * process.at({0.25}).deviation);
}

TEST(GaussianProcess, LearnsWhichGenesMatter) {
    Random random(1);
    std::vector<Sample> samples;
    for (int i = 0; i < 60; ++i) {
        Point point = {random.uniform(), random.uniform(), static_cast<double>(random.below(3))};
        samples.push_back({point, 3 * point[0] - 1.5 + (point[2] == 2 ? 1 : 0), 1});
    }
    GaussianProcess process({kLine, kLine, kKind}, samples);
    auto moved = [&](Point a, Point b) { return std::abs(process.at(a).mean - process.at(b).mean); };
    EXPECT_GT(moved({0.2, 0.5, 0}, {0.8, 0.5, 0}), 1.4);
    EXPECT_LT(moved({0.5, 0.2, 0}, {0.5, 0.8, 0}), 0.2);
    EXPECT_GT(moved({0.5, 0.5, 0}, {0.5, 0.5, 2}), 0.7);
    EXPECT_LT(moved({0.5, 0.5, 0}, {0.5, 0.5, 1}), 0.3);
}

TEST(GaussianProcess, TellsNoiseFromSignalAndTrustsMoreRunsMore) {
    Random random(2);
    std::vector<Sample> noisy, exact;
    for (int i = 0; i < 60; ++i) {
        double unit = i / 59.0, truth = 2 * unit - 1;
        exact.push_back({{unit}, truth, 1});
        noisy.push_back({{unit}, truth + 0.5 * random.normal(), 1});
    }
    EXPECT_GT(GaussianProcess({kLine}, noisy).noise(), 10 * GaussianProcess({kLine}, exact).noise());
    noisy[30].value = 3;
    double once = GaussianProcess({kLine}, noisy).at(noisy[30].point).mean;
    noisy[30].runs = 20;
    EXPECT_GT(GaussianProcess({kLine}, noisy).at(noisy[30].point).mean, once + 0.3);
}

TEST(GaussianProcess, TakesAnInactiveGeneForAnotherValue) {
    std::vector<Sample> samples;
    for (int i = 0; i < 20; ++i) {
        samples.push_back({{i / 19.0}, 1, 1});
        samples.push_back({{kAbsent}, -1, 1});
    }
    GaussianProcess process({kLine}, samples);
    EXPECT_GT(process.at({0.02}).mean, 0.8);
    EXPECT_LT(process.at({kAbsent}).mean, -0.8);
}

GaussianProcess process_of_a_rise() {
    std::vector<Sample> samples;
    for (int i = 0; i <= 5; ++i) samples.push_back({{i / 10.0}, i / 5.0 - 0.5, 1});
    return GaussianProcess({kLine}, samples);
}

TEST(GaussianProcess, ExpectsRunsUnderWayToTurnOutAsExpected) {
    GaussianProcess process = process_of_a_rise();
    Prediction before = process.at({0.9});
    EXPECT_EQ(before.fantasies, std::vector<double>{before.mean});
    process.fantasize({{{0.9}}}, 16);
    Prediction after = process.at({0.9});
    EXPECT_NEAR(after.mean, before.mean, 1e-9);
    EXPECT_LT(after.deviation, 0.6 * before.deviation);
}

TEST(GaussianProcess, ImaginesRunsUnderWayToEndAsVariouslyAsItDoubtsThem) {
    GaussianProcess process = process_of_a_rise();
    const Prediction before = process.at({0.9});
    process.fantasize({{{0.9}}, {{0.3}}}, 64);
    const Prediction far = process.at({0.9}), near = process.at({0.3});
    auto spread = [](const Prediction& prediction) {
        double sum = 0, squares = 0;
        for (double mean : prediction.fantasies)
            sum += mean, squares += (mean - prediction.mean) * (mean - prediction.mean);
        EXPECT_NEAR(sum / 64, prediction.mean, 1e-9);
        return std::sqrt(squares / 64);
    };
    // The uncertainty from before is either still there or in the differences between the futures.
    EXPECT_NEAR(std::hypot(spread(far), far.deviation), before.deviation, 0.05 * before.deviation);
    EXPECT_LT(spread(near), 0.2 * spread(far));
    EXPECT_EQ(process.at({0.9}).fantasies, far.fantasies);
}

TEST(GaussianProcess, ImaginesNeighboursUnderWayToEndAlike) {
    GaussianProcess process = process_of_a_rise();
    process.fantasize({{{0.9}}, {{0.91}}}, 64);
    const Prediction one = process.at({0.9}), next = process.at({0.91});
    double together = 0, alone = 0;
    for (std::size_t i = 0; i < 64; ++i) {
        together += (one.fantasies[i] - one.mean) * (next.fantasies[i] - next.mean);
        alone += (one.fantasies[i] - one.mean) * (one.fantasies[i] - one.mean);
    }
    EXPECT_GT(together, 0.9 * alone);
}

// Samples of a wave over [0, 1/2] with one hint that predicts it and one that does not.
std::vector<Sample> hinted_wave() {
    Random random(4);
    std::vector<Sample> samples;
    for (int i = 0; i < 12; ++i) {
        double unit = i / 24.0;
        samples.push_back({{unit}, std::sin(9 * unit), 1, {std::sin(9 * unit), random.normal()}});
    }
    return samples;
}

TEST(GaussianProcess, LearnsWhichHintsHold) {
    auto weights = GaussianProcess({kLine}, hinted_wave()).hint_weights();
    ASSERT_EQ(weights.size(), 2U);
    EXPECT_GT(weights[0], 0.7);
    EXPECT_LT(std::abs(weights[1]), 0.1);
    EXPECT_TRUE(GaussianProcess({kLine}, {}).hint_weights().empty());
}

TEST(GaussianProcess, ExpectsWhatAHintThatHeldSaysWhereNobodyLooked) {
    GaussianProcess process({kLine}, hinted_wave());
    EXPECT_LT(process.mean({0.9}, {-1.5, 0}), process.mean({0.9}, {1.5, 0}) - 2);
    EXPECT_NEAR(process.mean({0.9}, {0, -1.5}), process.mean({0.9}, {0, 1.5}), 0.4);
    EXPECT_EQ(process.mean({0.9}, {1, 0}), process.at({0.9}, {1, 0}).mean);
}

TEST(GaussianProcess, TrustsAHintAtFirstAndNotForLong) {
    Sample wrong{{0.1}, 1, 1, {-1}};
    double before = GaussianProcess({kLine}, {wrong}).hint_weights()[0];
    std::vector<Sample> samples;
    for (int i = 0; i < 8; ++i) samples.push_back({{i / 8.0}, i % 2 == 0 ? 1.0 : -1.0, 1, {i % 4 < 2 ? -1.0 : 1.0}});
    EXPECT_LT(std::abs(GaussianProcess({kLine}, samples).hint_weights()[0]), 0.3);
    EXPECT_GT(GaussianProcess({kLine}, {{{0.1}, 1, 1, {1}}}).hint_weights()[0], before);
}

TEST(GaussianProcess, BearsTheSameSampleManyTimes) {
    std::vector<Sample> samples(200, {{0.5, 0.5}, 1, 1});
    GaussianProcess process({kLine, kLine}, samples);
    EXPECT_NEAR(process.at({0.5, 0.5}).mean, 1, 0.05);
}

}  // namespace
}  // namespace cultivar
