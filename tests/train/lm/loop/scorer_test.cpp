// Tests the score of an artifact against reference/make_score.py, which computes it in double precision.
#include "train/lm/loop/scorer.h"

#include <gmock/gmock.h>

#include "tests/train/lm/reference/golden_score.h"
#include "tests/train/lm/support/tiny.h"
#include "train/lm/model/quantize.h"

namespace cultivar {
namespace {

LmConfig golden_config() {
    return read_lm_config({{"model.layers", std::int64_t{3}},
                           {"model.width", std::int64_t{96}},
                           {"model.heads", std::int64_t{4}},
                           {"model.kv_heads", std::int64_t{2}},
                           {"data.seq_len", std::int64_t{256}},
                           {"data.tokens_per_step", std::int64_t{1024}}},
                          1024)
        .value();
}

TEST(Score, OfAnArtifactIsThatOfTheReferenceFormulas) {
    const LmConfig config = golden_config();
    const Layout layout = make_layout(config.model);
    std::vector<float> values(static_cast<std::size_t>(layout.size));
    fill_with_noise(layout, values);
    const Artifact artifact = quantize(layout, config.artifact, values).value();
    ASSERT_EQ(artifact.tensors.at("tok_emb.weight").dtype, "I8") << "the score must see what quantising does";
    const auto score = score_artifact(config, at::kCPU, pack_artifact(artifact, config.artifact.compressor).value(),
                                      CULTIVAR_REFERENCE "/sp1024_val.bin", CULTIVAR_REFERENCE "/sp1024.bytes", {});
    ASSERT_TRUE(score) << score.error().message;
    EXPECT_EQ(score->tokens, kGoldenTargets);
    EXPECT_EQ(score->bytes, kGoldenBytes);
    EXPECT_NEAR(score->val_loss, kGoldenValLoss, 5e-7 * kGoldenValLoss);
    EXPECT_NEAR(score->val_bpb, kGoldenValBpb, 5e-7 * kGoldenValBpb);
}

}  // namespace
}  // namespace cultivar
