#include "train/lm/config/lm_config.h"

#include <gmock/gmock.h>

#include "train/lm/config/tensor_layout.h"

namespace cultivar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::int64_t> blocks_of(ModelConfig config) {
    std::vector<std::int64_t> blocks;
    for (std::int64_t layer = 0; layer < config.layers; ++layer) blocks.push_back(config.block_of(layer));
    return blocks;
}

TEST(Config, BaselineHasThePublishedNumberOfParameters) {
    const auto config = read_lm_config({}, 1024);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(make_layout(config->model).size, 17059912);
    EXPECT_EQ(config->tokens_per_step, 524288);
}

TEST(Config, ForwardFlopsCountMatrixProductsAndCausalAttention) {
    const auto config = read_lm_config({}, 1024);
    // 9 layers x (2 x (2 * 512^2 + 2 * 512 * 256 + 2 * 512 * 1024) + 2 * 512 * 1025) + 2 * 512 * 1024
    EXPECT_EQ(config->model.forward_flops_per_token(), 43525120);
}

TEST(Config, SharedLayersTakeTheirBlocksInTurnOrMirrored) {
    ModelConfig config;
    config.layers = 8;
    config.unique_layers = 3;
    config.sharing = Sharing::cyclic;
    EXPECT_THAT(blocks_of(config), ElementsAre(0, 1, 2, 0, 1, 2, 0, 1));
    EXPECT_EQ(config.blocks(), 3);
    config.sharing = Sharing::mirrored;
    EXPECT_THAT(blocks_of(config), ElementsAre(0, 1, 2, 0, 0, 2, 1, 0));
    config.layers = 5;
    EXPECT_THAT(blocks_of(config), ElementsAre(0, 1, 2, 1, 0));
}

TEST(Config, BlocksThatNoLayerUsesHaveNoWeights) {
    ModelConfig config;
    config.layers = 4;
    config.unique_layers = 4;
    config.sharing = Sharing::mirrored;
    EXPECT_EQ(config.blocks(), 2);
}

TEST(Config, RefusesAGeneItDoesNotKnow) {
    const auto config = read_lm_config({{"model.bigram", std::int64_t{1}}}, 1024);
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message, HasSubstr("'model.bigram'"));
}

TEST(Config, AcceptsValuesBeyondItsOwnRangesSinceAPoolMayWidenThem) {
    EXPECT_TRUE(read_lm_config({{"model.layers", std::int64_t{40}}, {"optim.grad_clip", 50.0}}, 1024));
}

TEST(Config, AcceptsWholeNumbersForRealGenes) {
    const auto config = read_lm_config({{"model.logit_softcap", std::int64_t{50}}}, 1024);
    ASSERT_TRUE(config);
    EXPECT_EQ(config->model.logit_softcap, 50);
}

TEST(Config, RefusesShapesThatCannotBe) {
    EXPECT_FALSE(read_lm_config({{"model.width", std::int64_t{100}}}, 1024));
    EXPECT_FALSE(read_lm_config({{"model.kv_heads", std::int64_t{3}}}, 1024));
    EXPECT_FALSE(read_lm_config({{"data.seq_len", std::int64_t{96}}}, 1024));
    EXPECT_FALSE(read_lm_config({{"model.layers", 9.5}}, 1024));
    EXPECT_FALSE(read_lm_config({{"model.mlp", std::string("tanh")}}, 1024));
    EXPECT_FALSE(read_lm_config({}, 0));
    EXPECT_FALSE(read_lm_config({}, 65537));
}

TEST(Layout, KeepsTensorsOfAGroupTogetherWithoutGaps) {
    ModelConfig config = read_lm_config({{"model.tied_embedding", false}}, 64)->model;
    const Layout layout = make_layout(config);
    std::int64_t begin = 0, grouped = 0;
    for (const TensorPlace& place : layout.tensors) {
        EXPECT_EQ(place.begin, begin);
        begin += place.size;
    }
    EXPECT_EQ(begin, layout.size);
    for (Group group : {Group::matrix, Group::embedding, Group::head, Group::scalar}) {
        EXPECT_EQ(group_range(layout, group).begin, grouped);
        grouped += group_range(layout, group).size;
    }
    EXPECT_EQ(grouped, layout.size);
}

}  // namespace
}  // namespace cultivar
