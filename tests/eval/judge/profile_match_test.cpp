#include "eval/judge/profile_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "bandit/space/random.h"

namespace cultivar {
namespace {

using testing::HasSubstr;

// Trainings of one quality, as 14 small models were measured: chunks differ by 2 %, each model's profile of them by 0.2 %.
struct Slice {
    explicit Slice(Random& random) {
        for (int i = 0; i < 64; ++i) difficulty.push_back(1 + 0.02 * random.normal());
    }
    std::vector<double> training(Random& random, double own = 0.002) const {
        std::vector<double> sums;
        for (double one : difficulty) sums.push_back(5000 * one * (1 + own * random.normal()));
        return sums;
    }
    std::vector<Profile> trainings(int count, Random& random) const {
        std::vector<Profile> all;
        for (int i = 0; i < count; ++i) all.push_back({"run " + std::to_string(i), training(random)});
        return all;
    }
    std::vector<double> difficulty;
};

std::vector<double> first(std::vector<double> sums, std::size_t count) {
    sums.resize(count);
    return sums;
}

std::vector<Profile> first(std::vector<Profile> all, std::size_t count) {
    for (Profile& one : all) one.chunk_sums.resize(count);
    return all;
}

TEST(ProfileMatch, FindsWeightsThatWereChangedALittleOnAllChunks) {
    Random random(1);
    for (int draw = 0; draw < 50; ++draw) {
        const Slice slice(random);
        const std::vector<Profile> trainings = slice.trainings(12, random);
        std::vector<double> stolen = trainings[4].chunk_sums;
        for (double& sum : stolen) sum *= 1.001 * (1 + 0.0003 * random.normal());
        EXPECT_THAT(taken_from(stolen, trainings, trainings), HasSubstr("its weights are those of run 4: "));
    }
}

TEST(ProfileMatch, FindsTheSameWeightsOnAFewChunksToo) {
    Random random(2);
    int found = 0;
    for (int draw = 0; draw < 200; ++draw) {
        const Slice slice(random);
        const std::vector<Profile> trainings = first(slice.trainings(12, random), 8);
        std::vector<double> stolen = trainings[4].chunk_sums;
        for (double& sum : stolen) sum *= 1 + 0.00005 * random.normal();
        found += !taken_from(stolen, trainings, trainings).empty();
    }
    EXPECT_GE(found, 195);
}

TEST(ProfileMatch, LeavesHonestTrainingsAlone) {
    Random random(3);
    int alarms = 0;
    for (int draw = 0; draw < 300; ++draw) {
        const Slice slice(random);
        const std::vector<Profile> trainings = slice.trainings(12, random), suspects = slice.trainings(64, random);
        const std::vector<double> honest = slice.training(random);
        alarms += !taken_from(honest, suspects, trainings).empty();
        alarms += !taken_from(first(honest, 8), first(suspects, 8), first(trainings, 8)).empty();
    }
    EXPECT_EQ(alarms, 0) << "less than one in 10,000 claims is expected";
}

TEST(ProfileMatch, ConcludesNothingAmongFewTrainings) {
    Random random(4);
    const Slice slice(random);
    const std::vector<Profile> trainings = slice.trainings(kFewestTrainings - 1, random);
    EXPECT_EQ(taken_from(trainings[0].chunk_sums, trainings, trainings), "");
    EXPECT_EQ(taken_from({}, trainings, slice.trainings(20, random)), "");
}

}  // namespace
}  // namespace cultivar
