// The parts of the model that are more than one library call, each differentiable by autograd. Tensors are fp32,
// row-major, on the CPU. Letters: B rows of a batch, T tokens of a row, N = B*T, d width, H query heads, K key/value
// heads, D size of a head, V vocabulary.
#pragma once

#include <ATen/ATen.h>

namespace cultivar {

// x * rsqrt(mean(x^2) + 1.1920929e-07) over the last dimension: RMSNorm without weights.
at::Tensor rms_norm(const at::Tensor& x);

// Rotary positions (half-split): turns (x1, x2), the halves of each head, to (x1 cos + x2 sin, x2 cos - x1 sin).
// x [B, T, heads, D]; the angle of pair i at position t is t * base^(-2i/D).
class Rotary {
public:
    Rotary(std::int64_t seq_len, std::int64_t head_dim, double base);
    at::Tensor operator()(const at::Tensor& x) const;

private:
    at::Tensor cos_, sin_;  // [T, 1, D/2]
};

// softmax(q k^T / sqrt(D)) v, each position seeing itself and those before; heads of k and v serve H/K query heads
// each. q [B, H, T, D], k and v [B, K, T, D], contiguous; returns [B, H, T, D]. Works in blocks of queries and skips
// the keys that lie in their future.
at::Tensor causal_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

// The sum over n of the cross-entropy (nats) of softmax(cap * tanh(z / cap)), z = x w^T, against targets [N] (int64).
// x [N, d], w [V, d]. Never holds more than a few rows of the logits: gradients are made in the forward pass.
at::Tensor softcap_cross_entropy(const at::Tensor& x, const at::Tensor& w, const at::Tensor& targets, double cap);

// The same, not summed and without gradients: [N].
at::Tensor softcap_losses(const at::Tensor& x, const at::Tensor& w, const at::Tensor& targets, double cap);

}  // namespace cultivar
