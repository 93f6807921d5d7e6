// The language model: Parameter Golf's baseline (train_gpt.py, class GPT) with its variants as genes.
//
// x0 = norm(embedding); in each block x <- mix_x * x + mix_x0 * x0, x += attn_scale * attention(norm(x)), x +=
// mlp_scale * mlp(norm(x)); the first half of the layers push skips and the second half pop them, weighted; the logits
// of norm(x) are softcapped. All arithmetic is fp32.
//
// Variants: norms also after each part (sandwich), or after each sum instead (post). The bigram embedding adds an
// embedding of the pair (before, token) to the token's own: row (36313 * token xor 27191 * before) mod (buckets - 1),
// the last row for the first token of a sequence, times a projection. The smear gate g = sigmoid(gate) then gives x_t
// <- (1 - g) x_t + g x_{t-1} after the embedding's norm. The value residual (Zhou et al. 2024) mixes the values of
// layer 0 into those of the later layers.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <span>
#include <vector>

#include "train/lm/config/tensor_layout.h"
#include "train/lm/ops/ops.h"
#include "train/lm/ops/weight_updates.h"

namespace cultivar {

class Model {
public:
    // Has room for `lanes` threads that accumulate gradients at the same time, each in its own buffer.
    explicit Model(const ModelConfig& config, std::int64_t lanes = 1, const Ops& ops = fused_ops(),
                   at::Device device = at::kCPU);

    const ModelConfig& config() const { return config_; }
    const Layout& layout() const { return layout_; }
    // The updates for these weights on their device.
    const Updates& updates() const { return &ops_ == &fused_ops() ? fused_updates() : plain_updates(); }

    // Sets the initial weights: a pure function of the seed, the same on every machine.
    void initialise(std::uint64_t seed);

    // Runs a micro-batch: tokens holds rows * seq_len + 1 ids, and token i + 1 is the target of token i. Adds the
    // gradient of `weight` * (sum of its targets' losses) to the lane's gradients and returns that sum of losses in
    // nats. Lanes may run at the same time.
    double accumulate(std::int64_t lane, std::span<const std::int64_t> tokens, double weight);

    // Sums the gradients of all lanes into gradients(), in the order of the lanes, and clears those of the others.
    void gather_gradients();
    void clear_gradients();
    const at::Tensor& lane_gradients(std::int64_t lane) const {
        return lanes_[static_cast<std::size_t>(lane)].gradients;
    }

    // Computes the loss of each target in nats, without gradients. losses.size() = tokens.size() - 1, a multiple of
    // seq_len. May be called by several threads at once.
    void target_losses(std::span<const std::int64_t> tokens, std::span<float> losses) const;

    // Flat fp32 buffers in the order of layout(), on the device.
    const at::Tensor& values() const { return values_; }
    const at::Tensor& gradients() const { return lanes_.front().gradients; }
    // CPU only.
    std::span<float> value_floats() { return {values_.data_ptr<float>(), static_cast<std::size_t>(layout_.size)}; }
    void set_values(std::span<const float> values);

private:
    struct Block {
        at::Tensor qkv, out, fc, proj;  // qkv: c_q, c_k and c_v as one matrix; fc: with the gate, if there is one
        at::Tensor q_gain, value_mix, attn_scale, mlp_scale, mix_x, mix_x0;
    };

    struct Lane {  // the same weights as leaves of a graph, with the lane's own gradients
        at::Tensor gradients;
        std::vector<Block> blocks;
        std::vector<at::Tensor> skip_weights;
        at::Tensor embedding, head, bigram, bigram_proj, smear_gate;
    };

    class Leaves;
    Lane make_lane() const;
    Block make_block(const Leaves& leaves, std::int64_t index) const;
    at::Tensor embed(const Lane& lane, const at::Tensor& ids) const;          // [N] -> x0 [N, d]
    at::Tensor hidden_states(const Lane& lane, const at::Tensor& ids) const;  // [N] -> [N, d], after the last norm
    at::Tensor run_block(const Block& block, const at::Tensor& x, const at::Tensor& x0, at::Tensor& first_values) const;
    at::Tensor attention(const Block& block, const at::Tensor& x, at::Tensor& first_values) const;
    at::Tensor feed_forward(const Block& block, const at::Tensor& x) const;

    ModelConfig config_;
    const Ops& ops_;
    Layout layout_;
    Rotary rotary_;
    at::Tensor values_;
    std::vector<Lane> lanes_;
};

}  // namespace cultivar
