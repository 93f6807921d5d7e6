#include "train/lm/model/model.h"

#include <gmock/gmock.h>

#include <numeric>

#include "tests/train/lm/reference/golden.h"
#include "tests/train/lm/support/tiny.h"
#include "train/lm/config/schedule.h"
#include "train/lm/model/optimizer.h"

namespace cultivar {
namespace {

constexpr std::int64_t kTinyVocabulary = 40, kBatchRows = 2, kTokens = 16;

ModelConfig tiny(std::int64_t layers, std::int64_t width, std::int64_t heads, std::int64_t kv_heads) {
    ModelConfig config;
    config.layers = config.unique_layers = layers;
    config.width = width;
    config.heads = heads;
    config.kv_heads = kv_heads;
    config.mlp_mult = 2;
    config.vocabulary = kTinyVocabulary;
    config.seq_len = kTokens;
    config.embed_init_std = 0.005;
    config.rope_base = 1e4;
    config.qk_gain = 1.5;
    config.logit_softcap = 30;
    return config;
}

std::vector<std::int64_t> golden_tokens() {
    std::vector<std::int64_t> tokens(kBatchRows * kTokens + 1);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        tokens[i] = static_cast<std::int64_t>((7 * i * i + 3 * i + 1) % kTinyVocabulary);
    }
    return tokens;
}

double norm_of(const at::Tensor& flat, const TensorPlace& place) {
    return flat.narrow(0, place.begin, place.size).norm().item<double>();
}

LmConfig golden_config(const Golden& golden) {
    Genes genes = kGoldenGenes;
    for (const auto& [name, value] : golden.genes) genes[name] = value;
    genes["data.seq_len"] = kTokens;
    genes["data.tokens_per_step"] = kBatchRows * kTokens;
    const Result<LmConfig> config = read_lm_config(genes, kTinyVocabulary);
    EXPECT_TRUE(config) << config.error().message;
    return *config;
}

// The clock of the reference's runs.
constexpr double kGoldenBudget_s = 8;
double golden_elapsed_s(std::int64_t step) {
    return 0.75 * static_cast<double>(step) + 0.01 * static_cast<double>(step * step);
}

at::Tensor part(const at::Tensor& flat, const TensorPlace& place) { return flat.narrow(0, place.begin, place.size); }

at::Tensor noise_like(const TensorPlace& place, double number) {
    at::Tensor noise = at::empty({place.size});
    for (std::int64_t i = 0; i < place.size; ++i) noise.data_ptr<float>()[i] = tiny_noise(i, number, 1);
    return noise;
}

// Every case with the fused kernels and with plain torch.
class GoldenModel : public testing::TestWithParam<std::tuple<std::string, bool>> {
protected:
    const Golden& golden() const { return kGolden.at(std::get<0>(GetParam())); }
    Model make_model(const LmConfig& config) const {
        Model model(config.model, 1, std::get<1>(GetParam()) ? fused_ops() : plain_ops());
        fill_with_noise(model.layout(), model.value_floats());
        return model;
    }
};

TEST_P(GoldenModel, HasTheLossAndEveryGradientOfTheReference) {
    Model model = make_model(golden_config(golden()));
    const double sum = model.accumulate(0, golden_tokens(), 1.0 / (kBatchRows * kTokens));
    EXPECT_NEAR(sum / (kBatchRows * kTokens), golden().losses.front(), 2e-6);
    const std::vector<TensorPlace>& tensors = model.layout().tensors;
    ASSERT_EQ(2 * tensors.size(), golden().gradients.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const at::Tensor gradient = part(model.gradients(), tensors[i]);
        const at::Tensor noise = noise_like(tensors[i], 100 + static_cast<double>(i));
        const double norm = golden().gradients[2 * i], product = golden().gradients[2 * i + 1];
        EXPECT_NEAR(gradient.norm().item<double>(), norm, 1e-4 * norm + 1e-7) << tensors[i].name;
        EXPECT_NEAR((gradient * noise).sum().item<double>(), product, 1e-4 * norm + 1e-6) << tensors[i].name;
    }
}

TEST_P(GoldenModel, TrainsTenStepsLikeTheReference) {
    const LmConfig config = golden_config(golden());
    Model model = make_model(config);
    Optimizer optimizer(model, config.optim);
    const std::size_t steps = golden().losses.size() - 1;
    for (std::size_t i = 0; i < steps; ++i) {
        const auto step = static_cast<std::int64_t>(i);
        const double sum = model.accumulate(0, golden_tokens(), 1.0 / (kBatchRows * kTokens));
        EXPECT_NEAR(sum / (kBatchRows * kTokens), golden().losses[i], 2e-3) << "step " << step;
        optimizer.step({step, lr_multiplier(step, golden_elapsed_s(step), kGoldenBudget_s, config.schedule),
                        golden_elapsed_s(step) / kGoldenBudget_s});
    }
    model.values().copy_(optimizer.result());
    std::vector<float> losses(kBatchRows * kTokens);
    model.target_losses(golden_tokens(), losses);
    const double sum = std::accumulate(losses.begin(), losses.end(), 0.0);
    EXPECT_NEAR(sum / (kBatchRows * kTokens), golden().losses.back(), 2e-3) << "the result";
}

std::vector<std::string> golden_names() {
    std::vector<std::string> names;
    for (const auto& [name, golden] : kGolden) names.push_back(name);
    return names;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenModel, testing::Combine(testing::ValuesIn(golden_names()), testing::Bool()),
                         [](const auto& chosen) {
                             return std::get<0>(chosen.param) + (std::get<1>(chosen.param) ? "_fused" : "_plain");
                         });

TEST(Model, StartsWithSilentBlocksAndIsAFunctionOfTheSeed) {
    Model one(tiny(3, 32, 4, 2)), two(tiny(3, 32, 4, 2)), other(tiny(3, 32, 4, 2));
    one.initialise(5);
    two.initialise(5);
    other.initialise(6);
    EXPECT_TRUE(one.values().equal(two.values()));
    EXPECT_FALSE(one.values().equal(other.values()));
    EXPECT_EQ(norm_of(one.values(), one.layout().at("blocks.1.attn.proj.weight")), 0);
    EXPECT_EQ(norm_of(one.values(), one.layout().at("blocks.2.mlp.proj.weight")), 0);
    EXPECT_NEAR(norm_of(one.values(), one.layout().at("tok_emb.weight")), 0.005 * std::sqrt(kTinyVocabulary * 32),
                0.01);
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
    std::vector<float> before(kBatchRows * kTokens), after(kBatchRows * kTokens);
    model.target_losses(tokens, before);
    tokens[10] = (tokens[10] + 1) % kTinyVocabulary;  // input of position 10, target of position 9
    model.target_losses(tokens, after);
    for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(before[i], after[i]) << i;
    EXPECT_NE(before[9], after[9]);
    EXPECT_NE(before[10], after[10]);
    for (std::size_t i = kTokens; i < 2 * kTokens; ++i) EXPECT_EQ(before[i], after[i]) << "the other row, " << i;
}

TEST(Model, ScoresTheLossesThatItTrainsOn) {
    Model model(tiny(3, 32, 4, 2));
    fill_with_noise(model.layout(), model.value_floats());
    std::vector<float> losses(kBatchRows * kTokens);
    model.target_losses(golden_tokens(), losses);
    const double sum = std::accumulate(losses.begin(), losses.end(), 0.0);
    EXPECT_NEAR(model.accumulate(0, golden_tokens(), 1), sum, 1e-4);
}

}  // namespace
}  // namespace cultivar
