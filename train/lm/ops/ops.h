// The differentiable parts that the model is made of, in two versions that compute the same: fused kernels for the CPU
// and plain torch for every other device, which is also the reference that tests compare the kernels with.
//
// Tensors are fp32, contiguous, on one device. Letters: B rows of T tokens, N = B * T; d width, H query heads, K
// key/value heads, D size of a head, V vocabulary. Parameters (w, scale, ...) are leaves whose grad is allocated:
// gradients are added there when the graph that the results belong to is gone back through. May be used by several
// threads at the same time, each with leaves of its own.
#pragma once

#include <ATen/ATen.h>

#include "train/lm/config/lm_config.h"

namespace cultivar {

struct Normed {
    at::Tensor sum;     // [N, d]
    at::Tensor normed;  // [N, d]: norm(sum)
};

// What attention is made from beside the projections of its layer.
struct AttentionParts {
    at::Tensor qkv;                // [N, (H + 2K) D]: of each token the queries of all heads, then keys, then values
    at::Tensor gain;               // [H], of normalised queries; undefined: neither queries nor keys are normalised
    at::Tensor value_mix;          // [2]: v becomes mix[0] * v + mix[1] * first_values; undefined: v
    at::Tensor first_values;       // [N, K D]; undefined without value_mix
    at::Tensor cosine, sine;       // [T, D/2]: the pairs (x_i, x_{i + D/2}) turn to (a cos + b sin, b cos - a sin)
    std::int64_t heads, kv_heads;  // T and D follow from the shapes
};

class Ops {
public:
    virtual ~Ops() = default;

    // Rows of a table [., d] by ids [N] (int64) that lie in it.
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
    // relu2, gelu: [N, h] -> [N, h]; swiglu: x holds [up, gate], [N, 2h] -> silu(gate) * up [N, h].
    virtual at::Tensor activate(Mlp mlp, const at::Tensor& x) const = 0;
    // Causal attention within rows of T tokens: softmax(q k^T / sqrt(D)) v, heads side by side: [N, H D].
    virtual at::Tensor attend(const AttentionParts& parts) const = 0;

    // The cross-entropy (nats) of softmax(cap * tanh(z / cap)), z = x head^T, against targets [N] (int64): [N], without
    // gradients. x [N, d], head [V, d].
    virtual at::Tensor losses(const at::Tensor& x, const at::Tensor& head, const at::Tensor& targets,
                              double cap) const = 0;
    // The sum of these losses; and the whole way back from `weight` times that sum through the graph of x.
    virtual double backward(const at::Tensor& x, const at::Tensor& head, const at::Tensor& targets, double cap,
                            double weight) const = 0;
};

const Ops& fused_ops();  // CPU only
const Ops& plain_ops();
const Ops& ops_for(at::Device device);

// The tables of rotary positions, [T, D/2] each: the angle of pair i at position t is t * base^(-i / rotated) for the
// first `rotated` pairs, and 0 for the others.
struct Rotary {
    at::Tensor cosine, sine;
};
Rotary make_rotary(std::int64_t tokens, std::int64_t head_dim, std::int64_t rotated, double base);

}  // namespace cultivar
