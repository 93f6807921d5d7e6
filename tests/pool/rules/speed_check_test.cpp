#include "pool/rules/speed_check.h"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cultivar {
namespace {

using ::testing::HasSubstr;

TEST(TooFast, IsARunThatTrainedThreeTimesAsFastAsItsWritersOthers) {
    const std::vector<double> own = {100, 104, 98, 101, 97, 100, 20, 99};
    EXPECT_EQ(too_fast({290, own, {}}), "");
    EXPECT_EQ(too_fast({404, own, {}}), "it trained 4.0 times as fast as the same writer's 8 other runs like it");
    EXPECT_EQ(too_fast({400, {100, 104, 98, 101, 97, 100, 99}, {}}), "") << "seven runs say too little";
    EXPECT_EQ(too_fast({400, {100, 20, 300, 10, 150, 15, 250, 18}, {}}), "") << "a machine that is often busy";
    EXPECT_EQ(too_fast({0, own, {}}), "") << "no figures, no rule";
    EXPECT_EQ(too_fast({400, std::vector<double>(8, 0), {}}), "");
}

TEST(TooFast, IsARunOutsideWhatACategorySpans) {
    EXPECT_EQ(too_fast({390, {}, {{100}, {100, 90}, {110}}}), "");
    EXPECT_THAT(too_fast({450, {}, {{100}, {100, 90}, {110}}}), HasSubstr("4.5 times as fast as 3 other writers"));
    EXPECT_EQ(too_fast({450, {}, {{100}, {100}}}), "") << "two writers say too little";
    // A hundred fast runs of one writer count once.
    EXPECT_NE(too_fast({450, {}, {{100}, {100}, {110}, std::vector<double>(100, 400)}}), "");
}

// Tests the false alarm rate stated in pool/rules/speed_check.h, and the runs that are flagged.
TEST(TooFast, IsHardlyEverAnHonestRun) {
    std::mt19937_64 random(6);
    auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
    auto noise = [&] { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.283185307179586 * uniform()); };
    int runs = 0, alarms = 0, caught = 0, cheats = 0;
    for (int pool = 0; pool < 25; ++pool) {
        std::vector<std::vector<double>> speeds(10);
        for (auto& writer : speeds) {
            const double machine = std::pow(10, 0.5 * uniform());
            for (int run = 0; run < 40; ++run)
                writer.push_back(machine * std::exp(0.1 * noise()) / (uniform() < 0.1 ? 1 + 2 * uniform() : 1));
        }
        for (std::size_t writer = 0; writer < speeds.size(); ++writer) {
            std::vector<std::vector<double>> others;
            for (std::size_t other = 0; other < speeds.size(); ++other) {
                if (other != writer) others.push_back(speeds[other]);
            }
            for (std::size_t run = 0; run < speeds[writer].size(); ++run) {
                std::vector<double> own = speeds[writer];
                own.erase(own.begin() + static_cast<std::ptrdiff_t>(run));
                ++runs;
                alarms += !too_fast({speeds[writer][run], own, others}).empty();
                if (run > 0) continue;
                ++cheats;
                caught += !too_fast({5 * speeds[writer][run], own, others}).empty();
            }
        }
    }
    EXPECT_EQ(runs, 10'000);
    EXPECT_EQ(alarms, 0);
    EXPECT_GE(caught, cheats * 9 / 10) << "five times the compute, in one run of forty";
}

}  // namespace
}  // namespace cultivar
