#include "bandit/space/constraint_repair.h"

#include <gtest/gtest.h>

#include "tests/bandit/support/world.h"

namespace cultivar {
namespace {

TEST(Repair, MovesThePartnerOfTheGeneThatWasMoved) {
    Space space = testing::model_space();
    Genes genes = *space.complete({{"model.width", std::int64_t{72}}});  // 4 heads need multiples of 32
    ASSERT_FALSE(space.check(genes));
    ASSERT_TRUE(repair(space, genes, {"model.width"}));
    EXPECT_EQ(genes.at("model.width"), Value(std::int64_t{72}));
    EXPECT_EQ(genes.at("model.heads"), Value(std::int64_t{1}));
}

TEST(Repair, TakesTheNearestValue) {
    Space space = testing::model_space();
    Genes genes = *space.complete({{"model.width", std::int64_t{200}}, {"model.heads", std::int64_t{8}}});
    ASSERT_TRUE(repair(space, genes, {"model.heads"}));
    EXPECT_EQ(genes.at("model.heads"), Value(std::int64_t{8}));
    EXPECT_EQ(genes.at("model.width"), Value(std::int64_t{192}));
}

TEST(Repair, KeepsAnOrderBetweenGenes) {
    auto space = Space::make({testing::whole("layers", 8, 1, 32), testing::whole("unique", 4, 1, 32)},
                             {{Constraint::Kind::at_most, "unique", "layers", 1}});
    ASSERT_TRUE(space);
    Genes genes = *space->complete({{"layers", std::int64_t{3}}});
    ASSERT_TRUE(repair(*space, genes, {"layers"}));
    EXPECT_EQ(genes.at("unique"), Value(std::int64_t{3}));
    genes["unique"] = std::int64_t{10};
    ASSERT_TRUE(repair(*space, genes, {"unique"}));
    EXPECT_EQ(genes.at("layers"), Value(std::int64_t{10}));
}

TEST(Repair, FollowsAChainOfConstraints) {
    auto space = Space::make(
        {testing::whole("width", 64, 1, 256), testing::whole("heads", 8, 1, 16), testing::whole("kv_heads", 4, 1, 16)},
        {{Constraint::Kind::multiple, "width", "heads", 8}, {Constraint::Kind::multiple, "heads", "kv_heads", 1}});
    ASSERT_TRUE(space);
    Genes genes = *space->complete({{"width", std::int64_t{72}}});
    ASSERT_TRUE(repair(*space, genes, {"width"}));
    EXPECT_TRUE(space->check(genes));
    EXPECT_EQ(genes.at("width"), Value(std::int64_t{72}));
    EXPECT_EQ(genes.at("heads"), Value(std::int64_t{9}));
    EXPECT_EQ(genes.at("kv_heads"), Value(std::int64_t{3}));
}

TEST(Repair, MovesTheMovedGeneItselfWhereThePartnerCannot) {
    auto space = Space::make({testing::whole("a", 7, 7, 7), testing::whole("b", 7, 3, 7)},
                             {{Constraint::Kind::multiple, "a", "b", 1}});
    ASSERT_TRUE(space);
    Genes genes = *space->complete({{"b", std::int64_t{5}}});
    ASSERT_TRUE(repair(*space, genes, {"b"}));
    EXPECT_EQ(genes.at("b"), Value(std::int64_t{7}));
}

TEST(Repair, SaysWhenNothingCanBeDone) {
    auto space = Space::make({testing::whole("a", 6, 6, 7), testing::whole("b", 3, 3, 5)},
                             {{Constraint::Kind::multiple, "a", "b", 1}});
    ASSERT_TRUE(space);
    Genes genes = *space->complete({{"a", std::int64_t{7}}, {"b", std::int64_t{4}}});
    EXPECT_FALSE(repair(*space, genes, {"a"}));
}

}  // namespace
}  // namespace cultivar
