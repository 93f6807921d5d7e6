#include "train/lm/ops.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cultivar {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr double kNormEpsilon = 1.1920929e-07;  // of fp32, torch's default for rms_norm
constexpr std::int64_t kQueryBlock = 128;
constexpr std::int64_t kLogitFloats = 1 << 20;  // a block of logits stays in the cache

// Positions of the future within a diagonal block: 0 where seen, -inf above the diagonal.
at::Tensor future_mask(std::int64_t size) {
    return at::full({size, size}, -std::numeric_limits<float>::infinity()).triu_(1);
}

// Attention falls apart into rows x key heads, each a task of its own for one thread: its products are too small to
// share among threads. Within a task, queries go in blocks [begin, end), each against the keys [0, end).
struct AttentionShape {
    std::int64_t tasks, group, tokens, head_dim, blocks;
    double scale;

    AttentionShape(const at::Tensor& q, const at::Tensor& k)
        : tasks(k.size(0) * k.size(1)),
          group(q.size(1) / k.size(1)),
          tokens(q.size(2)),
          head_dim(q.size(3)),
          blocks((tokens + kQueryBlock - 1) / kQueryBlock),
          scale(1 / std::sqrt(static_cast<double>(head_dim))) {}

    std::int64_t begin(std::int64_t block) const { return block * kQueryBlock; }
    std::int64_t end(std::int64_t block) const { return std::min(begin(block) + kQueryBlock, tokens); }
    // The task's part of a tensor like q [group, T, D] or like k [T, D].
    at::Tensor queries(const at::Tensor& q, std::int64_t task) const {
        return q.view({tasks, group, tokens, head_dim}).select(0, task);
    }
    at::Tensor keys(const at::Tensor& k, std::int64_t task) const {
        return k.view({tasks, tokens, head_dim}).select(0, task);
    }
    // A block of queries(...): [group, rows, D].
    at::Tensor rows(const at::Tensor& queries, std::int64_t block) const {
        return queries.slice(1, begin(block), end(block));
    }

    template <typename Task>
    void each_task(const Task& task) const {
        at::parallel_for(0, tasks, 1, [&](std::int64_t first, std::int64_t last) {
            const at::NoGradGuard no_gradients;  // it is a property of the thread
            for (std::int64_t i = first; i < last; ++i) task(i);
        });
    }
};

class CausalAttention : public Function<CausalAttention> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
        const AttentionShape shape(q, k);
        const at::Tensor mask = future_mask(std::min(kQueryBlock, shape.tokens));
        at::Tensor out = at::empty_like(q);
        variable_list saved(static_cast<std::size_t>(3 + shape.tasks * shape.blocks));
        saved[0] = q, saved[1] = k, saved[2] = v;
        shape.each_task([&](std::int64_t task) {
            const at::Tensor queries = shape.queries(q, task), keys = shape.keys(k, task), values = shape.keys(v, task);
            for (std::int64_t block = 0; block < shape.blocks; ++block) {
                const std::int64_t end = shape.end(block), rows = end - shape.begin(block);
                at::Tensor scores =
                    at::mm(shape.rows(queries, block).reshape({-1, shape.head_dim}), keys.slice(0, 0, end).t())
                        .mul_(shape.scale);
                scores.view({shape.group, rows, end})
                    .slice(2, shape.begin(block), end)
                    .add_(mask.slice(0, 0, rows).slice(1, 0, rows));
                const at::Tensor weights = at::softmax(scores, -1);
                shape.rows(shape.queries(out, task), block)
                    .copy_(at::mm(weights, values.slice(0, 0, end)).view({shape.group, rows, shape.head_dim}));
                saved[static_cast<std::size_t>(3 + task * shape.blocks + block)] = weights;
            }
        });
        context->save_for_backward(std::move(saved));
        return out;
    }

    static variable_list backward(AutogradContext* context, variable_list grads) {
        const variable_list saved = context->get_saved_variables();
        const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2];
        const AttentionShape shape(q, k);
        const at::Tensor d_out = grads[0].contiguous();
        at::Tensor dq = at::empty_like(q), dk = at::zeros_like(k), dv = at::zeros_like(v);
        shape.each_task([&](std::int64_t task) {
            const at::Tensor keys = shape.keys(k, task), values = shape.keys(v, task);
            at::Tensor d_keys = shape.keys(dk, task), d_values = shape.keys(dv, task);
            for (std::int64_t block = 0; block < shape.blocks; ++block) {
                const std::int64_t end = shape.end(block), rows = end - shape.begin(block);
                const at::Tensor& weights = saved[static_cast<std::size_t>(3 + task * shape.blocks + block)];
                const at::Tensor d_block = shape.rows(shape.queries(d_out, task), block).reshape({-1, shape.head_dim});
                const at::Tensor d_weights = at::mm(d_block, values.slice(0, 0, end).t());
                const at::Tensor d_scores =
                    at::_softmax_backward_data(d_weights, weights, -1, at::kFloat).mul_(shape.scale);
                shape.rows(shape.queries(dq, task), block)
                    .copy_(at::mm(d_scores, keys.slice(0, 0, end)).view({shape.group, rows, shape.head_dim}));
                d_keys.slice(0, 0, end).addmm_(d_scores.t(),
                                               shape.rows(shape.queries(q, task), block).reshape({-1, shape.head_dim}));
                d_values.slice(0, 0, end).addmm_(weights.t(), d_block);
            }
        });
        return {dq, dk, dv};
    }
};

std::int64_t logit_rows(const at::Tensor& w) { return std::max<std::int64_t>(1, kLogitFloats / w.size(0)); }

class SoftcapCrossEntropy : public Function<SoftcapCrossEntropy> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& w,
                              const at::Tensor& targets, double cap) {
        at::Tensor dx = at::empty_like(x), dw = at::zeros_like(w);
        double sum = 0;
        for (std::int64_t begin = 0; begin < x.size(0); begin += logit_rows(w)) {
            const std::int64_t end = std::min(begin + logit_rows(w), x.size(0));
            const at::Tensor rows = x.slice(0, begin, end), target = targets.slice(0, begin, end).unsqueeze(1);
            const at::Tensor bent = at::mm(rows, w.t()).mul_(1 / cap).tanh_();
            const at::Tensor log_p = at::log_softmax(at::mul(bent, cap), 1);
            sum -= at::sum(log_p.gather(1, target), at::kDouble).item<double>();
            // d loss / d z = (p - 1[target]) * (1 - tanh^2)
            at::Tensor dz = log_p.exp_();
            dz.scatter_add_(1, target, at::full({end - begin, 1}, -1.0F));
            dz.mul_(bent.mul(bent).neg_().add_(1));
            dx.slice(0, begin, end).copy_(at::mm(dz, w));
            dw.addmm_(dz.t(), rows);
        }
        context->save_for_backward({dx, dw});
        return at::scalar_tensor(sum, x.options().dtype(at::kDouble));
    }

    static variable_list backward(AutogradContext* context, variable_list grads) {
        const variable_list saved = context->get_saved_variables();
        const double factor = grads[0].item<double>();
        return {saved[0] * factor, saved[1] * factor, at::Tensor(), at::Tensor()};
    }
};

}  // namespace

at::Tensor rms_norm(const at::Tensor& x) { return x * (x * x).mean(-1, true).add_(kNormEpsilon).rsqrt_(); }

Rotary::Rotary(std::int64_t seq_len, std::int64_t head_dim, double base) {
    const at::Tensor pair = at::arange(0, head_dim, 2, at::kFloat) / static_cast<double>(head_dim);
    const at::Tensor angle = at::outer(at::arange(seq_len, at::kFloat), at::pow(base, pair).reciprocal_());
    cos_ = angle.cos().unsqueeze(1);
    sin_ = angle.sin().unsqueeze(1);
}

at::Tensor Rotary::operator()(const at::Tensor& x) const {
    const std::vector<at::Tensor> half = x.chunk(2, -1);
    return at::cat({half[0] * cos_ + half[1] * sin_, half[1] * cos_ - half[0] * sin_}, -1);
}

at::Tensor causal_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return CausalAttention::apply(q, k, v);
}

at::Tensor softcap_cross_entropy(const at::Tensor& x, const at::Tensor& w, const at::Tensor& targets, double cap) {
    return SoftcapCrossEntropy::apply(x, w, targets, cap);
}

at::Tensor softcap_losses(const at::Tensor& x, const at::Tensor& w, const at::Tensor& targets, double cap) {
    at::Tensor losses = at::empty({x.size(0)}, x.options());
    for (std::int64_t begin = 0; begin < x.size(0); begin += logit_rows(w)) {
        const std::int64_t end = std::min(begin + logit_rows(w), x.size(0));
        const at::Tensor logits = at::mm(x.slice(0, begin, end), w.t()).mul_(1 / cap).tanh_().mul_(cap);
        const at::Tensor target = targets.slice(0, begin, end).unsqueeze(1);
        losses.slice(0, begin, end).copy_(at::log_softmax(logits, 1).gather(1, target).squeeze(1).neg_());
    }
    return losses;
}

}  // namespace cultivar
