// The differentiable parts of the model in two equivalent versions: fused kernels for the CPU, and plain torch for
// every other device. Plain torch is also the reference of the kernels' tests.
//
// Tensors are fp32, contiguous, on one device. Letters: B rows of T tokens, N = B * T; d width, H query heads, K
// key/value heads, D size of a head, V vocabulary. Parameters (w, scale, ...) are leaves with an allocated grad; the
// backward pass through the results' graph adds gradients there. Several threads may call these at the same time, each
// with its own leaves.
#pragma once

#include <ATen/ATen.h>

#include "train/lm/config/lm_config.h"

namespace cultivar {

struct Normed {
    at::Tensor sum;     // [N, d]
    at::Tensor normed;  // [N, d]: norm(sum)
};

// The inputs of attention, beside its layer's projections.
struct AttentionParts {
    at::Tensor qkv;           // [N, (H + 2K) D]: per token the queries of all heads, then keys, then values
    at::Tensor gain;          // [H], of normalised queries; if undefined, neither queries nor keys are normalised
    at::Tensor value_mix;     // [2]: v becomes mix[0] * v + mix[1] * first_values; undefined leaves v as it is
    at::Tensor first_values;  // [N, K D]; undefined without value_mix
    at::Tensor cosine,
        sine;  // [T, D/2]: rotates the pair (x_i, x_{i + D/2}) = (a, b) to (a cos + b sin, b cos - a sin)
    std::int64_t heads, kv_heads;  // T and D follow from the shapes
};

class Ops {
public:
    virtual ~Ops() = default;

    // Returns the rows of a table [., d] with the given ids [N] (int64), which must be in range.
    virtual at::Tensor lookup(const at::Tensor& table, const at::Tensor& ids) const = 0;
    // x w^T; x [N, in], w [out, in].
    virtual at::Tensor linear(const at::Tensor& x, const at::Tensor& w) const = 0;
    // x / sqrt(mean(x^2) + 1.1920929e-07) over the last dimension: RMSNorm without weights.
    virtual at::Tensor norm(const at::Tensor& x) const = 0;
    // x + scale * y; scale [d].
    virtual at::Tensor add(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& y) const = 0;
    virtual Normed add_norm(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& y) const = 0;
    // a * x + b * x0 and its norm; a, b [d].
    virtual Normed mix_norm(const at::Tensor& x, const at::Tensor& a, const at::Tensor& x0,
                            const at::Tensor& b) const = 0;
    // relu2, gelu: [N, h] -> [N, h]; swiglu: x holds [up, gate] and [N, 2h] -> silu(gate) * up [N, h].
    virtual at::Tensor activate(Mlp mlp, const at::Tensor& x) const = 0;
    // Causal attention within rows of T tokens: softmax(q k^T / sqrt(D)) v, heads side by side: [N, H D].
    virtual at::Tensor attend(const AttentionParts& parts) const = 0;

    // Returns the cross-entropies [N] (nats) of softmax(cap * tanh(z / cap)), z = x head^T, against targets [N]
    // (int64), without gradients. x [N, d], head [V, d].
    virtual at::Tensor losses(const at::Tensor& x, const at::Tensor& head, const at::Tensor& targets,
                              double cap) const = 0;
    // Returns the sum of these losses and runs the whole backward pass from `weight` times that sum through the graph
    // of x.
    virtual double backward(const at::Tensor& x, const at::Tensor& head, const at::Tensor& targets, double cap,
                            double weight) const = 0;
};

const Ops& fused_ops();  // CPU only
const Ops& plain_ops();
const Ops& ops_for(at::Device device);

// The tables of rotary positions (RoPE), [T, D/2] each: the angle of pair i at position t is t * base^(-i / rotated)
// for the first `rotated` pairs, and 0 for the others.
struct Rotary {
    at::Tensor cosine, sine;
};
Rotary make_rotary(std::int64_t tokens, std::int64_t head_dim, std::int64_t rotated, double base);

}  // namespace cultivar
