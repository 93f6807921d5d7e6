// Causal attention with grouped heads, between a layer's projections and its output projection: norm, gain and rotary
// positions of queries and keys, the mix of values, softmax, and the backward pass. The matrix of scores is never
// stored: the forward pass takes one block of queries at a time with all keys up to it, and the backward pass computes
// the weights again from each query's log-sum-exp (Rabe, Staats 2021; Dao et al. 2022).
//
// Letters: B rows of T tokens, N = B * T; H query heads, K key/value heads, D size of a head. fp32, one thread. Each
// row of qkv [N, (H + 2K) D] holds one token's projections: the queries of all heads, then keys, then values.
#pragma once

#include <cstdint>

namespace cultivar {

struct AttentionShape {
    std::int64_t rows, tokens, heads, kv_heads, head_dim;
    bool normalise;  // queries and keys: x / rms(x)

    std::int64_t group() const { return heads / kv_heads; }
    std::int64_t width() const { return heads * head_dim; }
    std::int64_t kv_width() const { return kv_heads * head_dim; }
    std::int64_t qkv_width() const { return width() + 2 * kv_width(); }
};

struct AttentionInput {
    const float* qkv;
    const float* gain;       // [H], of the queries; null means 1
    const float* cosine;     // [T, D/2]; rotates the pair (x_i, x_{i + D/2}) = (a, b) to (a cos + b sin, b cos - a sin)
    const float* sine;       // [T, D/2]
    const float* value_mix;  // [2]: v becomes mix[0] * v + mix[1] * first_values; null leaves v as it is
    const float* first_values;  // [N, K D]; null without value_mix
};

struct AttentionGradients {
    float* qkv;           // overwritten
    float* gain;          // [H] +=; null without gain
    float* value_mix;     // [2] +=; null without value_mix
    float* first_values;  // overwritten; null without value_mix
};

std::int64_t attention_scratch_floats(const AttentionShape& shape);

// out [N, H D]; log_sums [H, N]: the log-sum-exp of each query's scores.
void attention(const AttentionShape& shape, const AttentionInput& input, float* out, float* log_sums, float* scratch);

void attention_backward(const AttentionShape& shape, const AttentionInput& input, const float* out,
                        const float* log_sums, const float* d_out, const AttentionGradients& gradients, float* scratch);

}  // namespace cultivar
