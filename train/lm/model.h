// The language model: Parameter Golf's baseline (train_gpt.py, class GPT) with its variants as genes.
//
// x0 = norm(embedding); in each block x <- mix_x * x + mix_x0 * x0, x += attn_scale * attention(norm(x)),
// x += mlp_scale * mlp(norm(x)); the first half of the layers push skips, the second half pop them, weighted; logits
// of norm(x) are softcapped. All arithmetic is fp32.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <span>
#include <vector>

#include "train/lm/layout.h"
#include "train/lm/ops.h"

namespace cultivar {

class Model {
public:
    // With room for `lanes` threads to accumulate gradients at the same time, each in a buffer of its own.
    explicit Model(const ModelConfig& config, std::int64_t lanes = 1);

    const ModelConfig& config() const { return config_; }
    const Layout& layout() const { return layout_; }

    // The start of a run: a pure function of the seed, the same on every machine.
    void initialise(std::uint64_t seed);

    // Runs a micro-batch: tokens holds rows * seq_len + 1 ids, token i + 1 being the target of token i. Adds the
    // gradient of `weight` * (sum of its targets' losses) to the lane's gradients and returns that sum of losses in
    // nats. Lanes may run at the same time.
    double accumulate(std::int64_t lane, std::span<const std::int64_t> tokens, double weight);

    // Adds the gradients of all lanes up in gradients(), in the order of the lanes, and clears those of the others.
    void gather_gradients();
    void clear_gradients();
    std::span<float> lane_gradient_floats(std::int64_t lane) {
        return {lanes_[static_cast<std::size_t>(lane)].gradients.data_ptr<float>(),
                static_cast<std::size_t>(layout_.size)};
    }

    // The loss of each target in nats, without gradients. losses.size() = tokens.size() - 1, a multiple of seq_len.
    // May run at the same time as itself.
    void target_losses(std::span<const std::int64_t> tokens, std::span<float> losses) const;

    // Flat fp32 buffers in the order of layout().
    const at::Tensor& values() const { return values_; }
    const at::Tensor& gradients() const { return lanes_.front().gradients; }
    std::span<float> value_floats() { return {values_.data_ptr<float>(), static_cast<std::size_t>(layout_.size)}; }

private:
    struct Block {
        at::Tensor q, k, v, out, fc, gate, proj;
        at::Tensor q_gain, attn_scale, mlp_scale, mix_x, mix_x0;
    };

    struct Lane {  // the same weights, as leaves of a graph and with gradients of their own
        at::Tensor gradients;
        std::vector<Block> blocks;
        at::Tensor embedding, head, skip_weights;
    };

    Lane make_lane() const;
    at::Tensor hidden_states(const Lane& lane, const at::Tensor& ids) const;  // [B*T] -> [B*T, d], after the last norm
    at::Tensor run_block(const Block& block, const at::Tensor& mixed, std::int64_t rows) const;
    at::Tensor attention(const Block& block, const at::Tensor& x, std::int64_t rows) const;
    at::Tensor feed_forward(const Block& block, const at::Tensor& x) const;
    const at::Tensor& output_head(const Lane& lane) const {
        return config_.tied_embedding ? lane.embedding : lane.head;
    }

    ModelConfig config_;
    Layout layout_;
    Rotary rotary_;
    at::Tensor values_;
    std::vector<Lane> lanes_;
};

}  // namespace cultivar
