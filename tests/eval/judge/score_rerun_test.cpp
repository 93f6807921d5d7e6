#include "eval/judge/score_rerun.h"

#include <cmath>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cultivar {
namespace {

using testing::HasSubstr;

ScoreText text_of(const std::string& direction) {
    Task task;
    task.kind = "command";
    task.direction = direction;
    task.command.emplace();
    return ScoreText(task);
}

struct Shares {
    double honest_refused = 0, lies_taken = 0;
};

// Of claims of one run each, the better of two as a search keeps it, judged after two fresh seeds; lies claim as much more
// as `lie` says. `replicates`: of ten other candidates, two scores each.
Shares simulate(double level, double sigma, double lie) {
    std::mt19937_64 random(7);
    std::normal_distribution<double> normal(0, sigma);
    const auto run = [&] { return level + normal(random); };
    ScoreSpread others;
    for (int i = 0; i < 10; ++i) others.add(std::vector<double>{run(), run()});
    constexpr int kClaims = 2000;
    Shares shares;
    for (int i = 0; i < kClaims; ++i) {
        const double claimed = std::min(run(), run());
        const std::vector<double> fresh = {run(), run()};
        const auto judged = [&](double score) {
            return judge_score_rerun({score, 1}, fresh, others, 2, text_of("minimize")).accepted;
        };
        shares.honest_refused += judged(claimed) ? 0.0 : 1.0 / kClaims;
        shares.lies_taken += judged(claimed - lie) ? 1.0 / kClaims : 0.0;
    }
    return shares;
}

TEST(ScoreRerun, RefusesFewHonestClaimsAndManyLiesWhateverTheMetricsSizeOrSign) {
    for (const auto& [level, sigma] : {std::pair(-0.9, 0.004), {1e-7, 3e-9}, {0.0, 1.0}, {5000.0, 40.0}}) {
        const Shares shares = simulate(level, sigma, 12 * sigma);
        EXPECT_LE(shares.honest_refused, 0.005) << level;
        EXPECT_LE(shares.lies_taken, 0.01) << level;
    }
}

TEST(ScoreRerun, JudgesNothingBeforeThereIsAReplicate) {
    const auto first = judge_score_rerun({0.5, 1}, std::vector<double>{0.7}, {}, 2, text_of("minimize"));
    EXPECT_FALSE(first.judged);
    EXPECT_TRUE(first.accepted) << "it goes on to a second seed";
    EXPECT_THAT(first.reason, HasSubstr("one more is needed"));
    EXPECT_TRUE(judge_score_rerun({0.5, 1}, std::vector<double>{0.7, 0.71}, {}, 2, text_of("minimize")).judged);
}

TEST(ScoreRerun, TakesWhatNeverVariesAtItsWord) {
    const std::vector<double> fresh = {0.25, 0.25};
    EXPECT_TRUE(judge_score_rerun({0.25, 1}, fresh, {}, 2, text_of("minimize")).accepted);
    EXPECT_FALSE(judge_score_rerun({0.2499, 1}, fresh, {}, 2, text_of("minimize")).accepted);
}

TEST(ScoreRerun, OfATaskWithoutNoiseMustRepeat) {
    const auto repeat = [](double claimed, double again) {
        return judge_repeat({claimed, 1}, std::vector<double>{again}, text_of("maximize"));
    };
    EXPECT_TRUE(repeat(-0.93, -0.93).accepted);
    EXPECT_TRUE(repeat(-0.93, -0.9299995).accepted) << "records round";
    EXPECT_FALSE(repeat(-0.93, -0.929).accepted);
    EXPECT_FALSE(repeat(-0.93, -0.95).accepted) << "who made the run knows its score";
    EXPECT_FALSE(repeat(1e12, -0.95).accepted) << "rounding is no share of a lie";
    EXPECT_THAT(repeat(-0.93, -0.929).reason, HasSubstr("scores 0.929 where 0.93 was claimed"));
}

}  // namespace
}  // namespace cultivar
