#include "train/lm/model.h"

#include <gmock/gmock.h>

#include <numeric>

#include "tests/train/lm/reference/golden.h"
#include "tests/train/lm/tiny.h"
#include "train/lm/optimizer.h"

namespace cultivar {
namespace {

constexpr std::int64_t kVocabulary = 40, kRows = 2, kTokens = 16;

ModelConfig tiny(std::int64_t layers, std::int64_t width, std::int64_t heads, std::int64_t kv_heads) {
    ModelConfig config;
    config.layers = config.unique_layers = layers;
    config.width = width;
    config.heads = heads;
    config.kv_heads = kv_heads;
    config.mlp_mult = 2;
    config.vocabulary = kVocabulary;
    config.seq_len = kTokens;
    config.embed_init_std = 0.005;
    config.rope_base = 1e4;
    config.qk_gain = 1.5;
    config.logit_softcap = 30;
    return config;
}

ModelConfig golden_config(const std::string& name) {
    if (name == "baseline") return tiny(5, 32, 4, 2);
    const bool mirrored = name == "gelu_mirrored";
    ModelConfig config = mirrored ? tiny(5, 32, 4, 4) : tiny(4, 24, 2, 1);
    config.mlp = mirrored ? Mlp::gelu : Mlp::swiglu;
    config.sharing = mirrored ? Sharing::mirrored : Sharing::cyclic;
    config.tied_embedding = mirrored;
    config.unique_layers = 2;
    return config;
}

std::vector<std::int64_t> golden_tokens() {
    std::vector<std::int64_t> tokens(kRows * kTokens + 1);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        tokens[i] = static_cast<std::int64_t>((7 * i * i + 3 * i + 1) % kVocabulary);
    }
    return tokens;
}

double norm_of(const at::Tensor& flat, const TensorPlace& place) {
    return flat.narrow(0, place.begin, place.size).norm().item<double>();
}

class GoldenModel : public testing::TestWithParam<const char*> {};

TEST_P(GoldenModel, HasTheLossAndEveryGradientOfTheReference) {
    const Golden& golden = kGolden.at(GetParam());
    Model model(golden_config(GetParam()));
    fill_with_noise(model.layout(), model.value_floats());
    const double sum = model.accumulate(0, golden_tokens(), 1.0 / (kRows * kTokens));
    EXPECT_NEAR(sum / (kRows * kTokens), golden.losses.front(), 2e-6);
    ASSERT_EQ(model.layout().tensors.size(), golden.gradient_norms.size());
    for (const TensorPlace& place : model.layout().tensors) {
        const double expected = golden.gradient_norms.at(place.name);
        EXPECT_NEAR(norm_of(model.gradients(), place), expected, 1e-4 * expected + 1e-7) << place.name;
    }
}

TEST_P(GoldenModel, TrainsTenStepsLikeTheReference) {
    const Golden& golden = kGolden.at(GetParam());
    Model model(golden_config(GetParam()));
    fill_with_noise(model.layout(), model.value_floats());
    OptimConfig config;
    config.matrix_lr = config.scalar_lr = 0.04;
    config.embed_lr = model.config().tied_embedding ? 0.05 : 0.6;
    config.head_lr = 0.008;
    config.muon_momentum_start = 0.85;
    config.muon_momentum = 0.95;
    config.muon_momentum_warmup_steps = 4;
    config.muon_steps = 5;
    config.beta1 = 0.9;
    config.beta2 = 0.95;
    config.grad_clip = 1;
    Optimizer optimizer(model, config);
    for (std::size_t step = 0; step < golden.losses.size(); ++step) {
        const double sum = model.accumulate(0, golden_tokens(), 1.0 / (kRows * kTokens));
        EXPECT_NEAR(sum / (kRows * kTokens), golden.losses[step], 2e-3) << "step " << step;
        optimizer.step({static_cast<std::int64_t>(step), 1, 0});
    }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenModel, testing::Values("baseline", "untied_swiglu_cyclic", "gelu_mirrored"));

TEST(Model, StartsWithSilentBlocksAndIsAFunctionOfTheSeed) {
    Model one(tiny(3, 32, 4, 2)), two(tiny(3, 32, 4, 2)), other(tiny(3, 32, 4, 2));
    one.initialise(5);
    two.initialise(5);
    other.initialise(6);
    EXPECT_TRUE(one.values().equal(two.values()));
    EXPECT_FALSE(one.values().equal(other.values()));
    EXPECT_EQ(norm_of(one.values(), one.layout().at("blocks.1.attn.proj.weight")), 0);
    EXPECT_EQ(norm_of(one.values(), one.layout().at("blocks.2.mlp.proj.weight")), 0);
    EXPECT_NEAR(norm_of(one.values(), one.layout().at("tok_emb.weight")), 0.005 * std::sqrt(kVocabulary * 32), 0.01);
}

TEST(Model, AccumulatesTheSameGradientInMicroBatchesOfSeveralLanesAsAtOnce) {
    Model whole(tiny(3, 32, 4, 2)), parts(tiny(3, 32, 4, 2), 2);
    fill_with_noise(whole.layout(), whole.value_floats());
    fill_with_noise(parts.layout(), parts.value_floats());
    const std::vector<std::int64_t> tokens = golden_tokens();
    const double sum = whole.accumulate(0, tokens, 0.5);
    const double first = parts.accumulate(0, std::span(tokens).first(kTokens + 1), 0.5);
    const double second = parts.accumulate(1, std::span(tokens).last(kTokens + 1), 0.5);
    parts.gather_gradients();
    EXPECT_NEAR(first + second, sum, 1e-4);
    EXPECT_TRUE(whole.gradients().allclose(parts.gradients(), 1e-4, 1e-5));
}

TEST(Model, NeverLooksIntoTheFuture) {
    Model model(tiny(3, 32, 4, 2));
    fill_with_noise(model.layout(), model.value_floats());
    std::vector<std::int64_t> tokens = golden_tokens();
    std::vector<float> before(kRows * kTokens), after(kRows * kTokens);
    model.target_losses(tokens, before);
    tokens[10] = (tokens[10] + 1) % kVocabulary;  // input of position 10, target of position 9
    model.target_losses(tokens, after);
    for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(before[i], after[i]) << i;
    EXPECT_NE(before[9], after[9]);
    EXPECT_NE(before[10], after[10]);
    for (std::size_t i = kTokens; i < 2 * kTokens; ++i) EXPECT_EQ(before[i], after[i]) << "the other row, " << i;
}

TEST(Model, ScoresTheLossesThatItTrainsOn) {
    Model model(tiny(3, 32, 4, 2));
    fill_with_noise(model.layout(), model.value_floats());
    std::vector<float> losses(kRows * kTokens);
    model.target_losses(golden_tokens(), losses);
    const double sum = std::accumulate(losses.begin(), losses.end(), 0.0);
    EXPECT_NEAR(model.accumulate(0, golden_tokens(), 1), sum, 1e-4);
}

}  // namespace
}  // namespace cultivar
