#include "train/lm/loop/stepper.h"

#include <gtest/gtest.h>

#include "train/lm/model/quantize.h"

namespace cultivar {
namespace {

constexpr std::int64_t kVocabulary = 64;
constexpr double kBudget_s = 10;

// One layer with matrices large enough to be quantised.
LmConfig config_with(const Genes& changes) {
    Genes genes{{"model.layers", std::int64_t{1}},
                {"model.width", std::int64_t{256}},
                {"model.heads", std::int64_t{2}},
                {"model.kv_heads", std::int64_t{2}},
                {"model.proj_init_scale", 1.0},
                {"artifact.mlp_bits", std::int64_t{4}},
                {"data.seq_len", std::int64_t{32}},
                {"data.tokens_per_step", std::int64_t{64}},
                {"schedule.warmdown", std::string("share")}};
    for (const auto& [name, value] : changes) genes[name] = value;
    return read_lm_config(genes, kVocabulary).value();
}

std::vector<std::int64_t> tokens_of(std::int64_t step) {
    std::vector<std::int64_t> tokens(65);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        tokens[i] = static_cast<std::int64_t>(5 * i * i + 3 * i + static_cast<std::size_t>(step)) % kVocabulary;
    }
    return tokens;
}

// Makes step `step` at that many seconds into the budget; returns the loss that its micro-batches computed.
double take(Stepper& stepper, std::int64_t step) {
    stepper.begin(static_cast<double>(step), kBudget_s);
    EXPECT_TRUE(stepper.accumulate(tokens_of(step), stepper.plan().batches, [] { return false; }));
    const double loss = stepper.loss();
    stepper.update(step, static_cast<double>(step), kBudget_s);
    return loss;
}

double loss_of(const LmConfig& config, const std::vector<float>& values, std::int64_t step) {
    Model model(config.model);
    model.set_values(values);
    return model.accumulate(0, tokens_of(step), 1) / 64;
}

TEST(Stepper, SeesTheArtifactsWeightsInTheLastShareOfTheBudgetAndTrainsTheExactOnes) {
    const LmConfig config = config_with({{"artifact.qat_share", 0.5}});
    Stepper stepper(config);
    stepper.start(3);
    for (std::int64_t step = 0; step < 5; ++step) {
        const std::vector<float> exact = stepper.result();
        EXPECT_NEAR(take(stepper, step), loss_of(config, exact, step), 1e-5) << step;
    }
    for (std::int64_t step = 5; step < 8; ++step) {
        const std::vector<float> exact = stepper.result();
        std::vector<float> seen(exact.size());
        fake_quantize(stepper.layout(), config.artifact, exact, seen);
        EXPECT_NE(exact, seen);
        EXPECT_GT(std::abs(loss_of(config, exact, step) - loss_of(config, seen, step)), 1e-4) << step;
        EXPECT_NEAR(take(stepper, step), loss_of(config, seen, step), 1e-5) << step;
    }
}

TEST(Stepper, GoesOnFromTheFloatsOfACheckpointToTheSameBits) {
    for (const Genes& genes : {Genes{}, Genes{{"optim.averaging", std::string("ema")}},
                               Genes{{"optim.averaging", std::string("swa")}, {"optim.swa_share", 0.8}},
                               Genes{{"artifact.qat_share", 0.5}, {"optim.method", std::string("adamw")}}}) {
        const LmConfig config = config_with(genes);
        Stepper whole(config), resumed(config);
        whole.start(3);
        resumed.start(4);
        for (std::int64_t step = 0; step < 4; ++step) take(whole, step);
        const FloatBuffers from = whole.checkpoint_floats(false), to = resumed.checkpoint_floats(false);
        ASSERT_EQ(from.size(), to.size());
        std::size_t floats = 0;
        for (std::size_t i = 0; i < from.size(); ++i) {
            std::copy(from[i].begin(), from[i].end(), to[i].begin());
            floats += from[i].size();
        }
        resumed.checkpoint_floats_were_written();
        EXPECT_EQ(floats, whole.state_floats());
        for (std::int64_t step = 4; step < 8; ++step) EXPECT_EQ(take(whole, step), take(resumed, step)) << step;
        EXPECT_EQ(whole.result(), resumed.result());
    }
}

TEST(Stepper, GivesTheAverageOfTheWeightsWhereThatIsAskedFor) {
    const LmConfig plain = config_with({});
    const LmConfig averaged = config_with({{"optim.averaging", std::string("swa")}, {"optim.swa_share", 0.6}});
    Stepper one(plain), other(averaged);
    one.start(3);
    other.start(3);
    std::vector<double> sum(static_cast<std::size_t>(one.layout().size));
    for (std::int64_t step = 0; step < 7; ++step) {
        take(one, step);
        take(other, step);
        const std::vector<float> values = one.result();
        if (step < 4) {
            EXPECT_EQ(values, other.result()) << "before the share, the weights themselves";
        }
        for (std::size_t i = 0; step >= 4 && i < sum.size(); ++i) sum[i] += static_cast<double>(values[i]) / 3;
    }
    const std::vector<float> average = other.result();
    for (std::size_t i = 0; i < sum.size(); ++i) ASSERT_NEAR(average[i], sum[i], 1e-6) << i;
}

}  // namespace
}  // namespace cultivar
