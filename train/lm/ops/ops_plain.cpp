#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "train/lm/ops/ops.h"
#include "train/lm/ops/torch_compat.h"

namespace cultivar {
namespace {

constexpr double kNormEpsilon = 1.1920929e-07;

at::Tensor turned(const at::Tensor& x, const AttentionParts& parts) {  // x [B, T, heads, D]
    const at::Tensor cosine = parts.cosine.unsqueeze(1), sine = parts.sine.unsqueeze(1);
    const std::vector<at::Tensor> half = x.chunk(2, -1);
    return at::cat({half[0] * cosine + half[1] * sine, half[1] * cosine - half[0] * sine}, -1);
}

// q, k, v: [B, H, T, D] each. The CPU path is written out step by step, since it is the reference of tests.
at::Tensor causal_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    if (kHasFusedAttention && !q.is_cpu()) return fused_causal_attention(q, k, v.to(q.dtype()));
    const at::Tensor scores = at::matmul(q, k.transpose(2, 3)) / std::sqrt(static_cast<double>(q.size(3)));
    const at::Tensor future =
        at::full({q.size(2), q.size(2)}, -std::numeric_limits<float>::infinity(), scores.options()).triu(1);
    return at::matmul(at::softmax(scores + future, -1), v);
}

class PlainOps : public Ops {
public:
    at::Tensor lookup(const at::Tensor& table, const at::Tensor& ids) const override {
        return at::embedding(table, ids);
    }

    at::Tensor linear(const at::Tensor& x, const at::Tensor& w) const override { return at::mm(x, w.t()); }

    at::Tensor norm(const at::Tensor& x) const override { return x * ((x * x).mean(-1, true) + kNormEpsilon).rsqrt(); }

    at::Tensor add(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& y) const override {
        return at::addcmul(x, scale, y);
    }

    Normed add_norm(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& y) const override {
        const at::Tensor sum = add(x, scale, y);
        return {sum, norm(sum)};
    }

    Normed mix_norm(const at::Tensor& x, const at::Tensor& a, const at::Tensor& x0,
                    const at::Tensor& b) const override {
        const at::Tensor sum = at::addcmul(a * x, b, x0);
        return {sum, norm(sum)};
    }

    at::Tensor activate(Mlp mlp, const at::Tensor& x) const override {
        if (mlp == Mlp::gelu) return at::gelu(x);
        if (mlp == Mlp::relu2) {
            const at::Tensor positive = at::relu(x);
            return positive * positive;
        }
        const std::vector<at::Tensor> half = x.chunk(2, -1);
        return at::silu(half[1]) * half[0];
    }

    at::Tensor attend(const AttentionParts& parts) const override {
        const std::int64_t tokens = parts.cosine.size(0), head = 2 * parts.cosine.size(1), n = parts.qkv.size(0);
        const std::int64_t q_width = parts.heads * head, kv_width = parts.kv_heads * head;
        const auto split = [&](std::int64_t begin, std::int64_t heads) {
            return parts.qkv.narrow(1, begin, heads * head).reshape({n / tokens, tokens, heads, head});
        };
        at::Tensor q = split(0, parts.heads), k = split(q_width, parts.kv_heads);
        at::Tensor v = split(q_width + kv_width, parts.kv_heads);
        if (parts.gain.defined()) {
            q = norm(q) * parts.gain.unsqueeze(1);
            k = norm(k);
        }
        if (parts.value_mix.defined()) {
            v = parts.value_mix[0] * v + parts.value_mix[1] * parts.first_values.view(v.sizes());
        }
        const auto heads_first = [&](const at::Tensor& x) {
            return x.repeat_interleave(parts.heads / x.size(2), 2).transpose(1, 2);
        };
        const at::Tensor y =
            causal_attention(heads_first(turned(q, parts)), heads_first(turned(k, parts)), heads_first(v));
        return y.transpose(1, 2).reshape({n, q_width});
    }

    at::Tensor losses(const at::Tensor& x, const at::Tensor& head, const at::Tensor& targets,
                      double cap) const override {
        const at::Tensor logits = at::tanh(linear(x, head).to(at::kFloat) / cap) * cap;
        return at::log_softmax(logits, 1).gather(1, targets.unsqueeze(1)).squeeze(1).neg();
    }

    double backward(const at::Tensor& x, const at::Tensor& head, const at::Tensor& targets, double cap,
                    double weight) const override {
        const at::Tensor sum = losses(x, head, targets, cap).sum();
        (sum * weight).backward();
        return sum.item<double>();
    }
};

}  // namespace

const Ops& plain_ops() {
    static const PlainOps ops;
    return ops;
}

const Ops& ops_for(at::Device device) { return device.is_cpu() ? fused_ops() : plain_ops(); }

Rotary make_rotary(std::int64_t tokens, std::int64_t head_dim, std::int64_t rotated, double base) {
    const std::int64_t half = head_dim / 2;
    const at::Tensor pair = at::arange(0, half, at::kFloat) / static_cast<double>(std::max<std::int64_t>(rotated, 1));
    at::Tensor frequency = at::pow(base, pair).reciprocal();
    frequency.narrow(0, rotated, half - rotated).zero_();
    const at::Tensor angle = at::outer(at::arange(tokens, at::kFloat), frequency);
    return {angle.cos(), angle.sin()};
}

}  // namespace cultivar
