#include "bandit/space/coordinates.h"

#include <gtest/gtest.h>

#include <cmath>

#include "bandit/space/random.h"
#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

TEST(Coordinates, MapLogGenesByTheirRatioAndLevelsByTheirPlace) {
    Gene rate = testing::real("rate", 0.1, 1e-4, 1, true);
    EXPECT_NEAR(to_unit(rate, 0.01), 0.5, 1e-12);
    EXPECT_EQ(from_unit(rate, 0.5), Value(0.01));
    Gene tokens = testing::whole("tokens", 1024, 1024, 65536);
    tokens.levels = {1024, 2048, 65536};
    EXPECT_EQ(to_unit(tokens, std::int64_t{2048}), 0.5);
    EXPECT_EQ(from_unit(tokens, 0.6), Value(std::int64_t{2048}));
}

TEST(Coordinates, TakeWholeNumbersThatCountSomethingForSizes) {
    Gene width = testing::whole("width", 64, 32, 512), rounds = testing::whole("rounds", 5, 1, 10), warmup = rounds;
    EXPECT_FALSE(is_size(width));
    width.log_scale = true;
    EXPECT_TRUE(is_size(width));
    EXPECT_TRUE(is_size(testing::whole("warmdown", 1200, 1, 20000)));
    warmup.unit = "steps";
    EXPECT_TRUE(is_size(warmup));
    EXPECT_FALSE(is_size(rounds));
    rounds.levels = {4, 5, 6, 8};
    EXPECT_FALSE(is_size(rounds));
    rounds.levels = {64, 128, 512};
    EXPECT_TRUE(is_size(rounds));
    EXPECT_FALSE(is_size(testing::real("rate", 0.1, 1e-4, 1, true)));
    EXPECT_FALSE(is_size(testing::choice("mlp", {"relu2", "gelu"})));
}

TEST(Coordinates, SnapWholeNumbersToMultiplesWithinTheRange) {
    Gene width = testing::whole("width", 64, 30, 100);
    width.multiple_of = 16;
    EXPECT_EQ(value_count(width), 5);
    EXPECT_EQ(from_unit(width, 0), Value(std::int64_t{32}));
    EXPECT_EQ(from_unit(width, 1), Value(std::int64_t{96}));
    EXPECT_EQ(from_unit(width, 0.4), Value(std::int64_t{64}));
}

TEST(Coordinates, RoundRealsToWhatPeopleRead) {
    EXPECT_EQ(to_toml(from_unit(testing::real("rate", 0.1, 1e-4, 1, true), 0.777)), "0.128");
    EXPECT_EQ(to_toml(from_unit(testing::real("momentum", 0.95, 0.5, 0.99), 0.777)), "0.881");
}

TEST(Coordinates, StepsKeepTheirDirectionStayLegalAndAlwaysChangeTheGene) {
    Random random(1);
    Space space = testing::model_space();
    for (const Gene& gene : space.genes()) {
        if (!ordered(gene)) continue;
        Value value = gene.default_value;
        for (int i = 0; i < 500; ++i) {
            int direction = random.chance(0.5) ? 1 : -1;
            double before = to_unit(gene, value);
            Value stepped = step_from(gene, value, direction, 0.2 * std::abs(random.normal()), random.uniform());
            ASSERT_NE(stepped, value) << gene.name;
            ASSERT_TRUE(gene.accept(stepped)) << gene.name << " = " << to_toml(stepped);
            if (before > 0.02 && before < 0.98) {
                ASSERT_GT(direction * (to_unit(gene, stepped) - before), 0) << gene.name;
            }
            value = stepped;
        }
    }
}

TEST(Coordinates, IndexBooleansAndChoices) {
    Gene mlp = testing::choice("mlp", {"relu2", "gelu"});
    EXPECT_EQ(to_index(mlp, std::string("gelu")), 1U);
    EXPECT_EQ(from_index(mlp, 0), Value(std::string("relu2")));
    Gene tied;
    tied.type = GeneType::boolean;
    EXPECT_EQ(value_count(tied), 2);
    EXPECT_EQ(from_index(tied, to_index(tied, true)), Value(true));
}

}  // namespace
}  // namespace cultivar
