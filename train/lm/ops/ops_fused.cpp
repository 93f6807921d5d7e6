#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <numeric>

#include "train/lm/kernels/activation.h"
#include "train/lm/kernels/attention.h"
#include "train/lm/kernels/cross_entropy.h"
#include "train/lm/kernels/gemm.h"
#include "train/lm/kernels/row_ops.h"
#include "train/lm/ops/ops.h"

namespace cultivar {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

float* data(const at::Tensor& tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }
const std::int64_t* ids_of(const at::Tensor& ids) { return ids.data_ptr<std::int64_t>(); }

// The memory of a leaf's gradient.
float* gradient_of(const at::Tensor& leaf) { return leaf.defined() ? leaf.grad().data_ptr<float>() : nullptr; }

// Scratch memory of this thread, valid until the next call. It grows to the largest size asked for and stays.
float* scratch(std::int64_t floats) {
    static thread_local std::vector<float> memory;
    if (memory.size() < static_cast<std::size_t>(floats)) memory.resize(static_cast<std::size_t>(floats));
    return memory.data();
}

variable_list contiguous(variable_list gradients) {
    for (at::Tensor& gradient : gradients) gradient = gradient.contiguous();
    return gradients;
}

struct Lookup : Function<Lookup> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& table, const at::Tensor& ids) {
        context->save_for_backward({table, ids});
        return table.index_select(0, ids);
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const variable_list saved = context->get_saved_variables();
        const at::Tensor d_out = gradients[0].contiguous();
        const std::int64_t width = d_out.size(1);
        const float* from = data(d_out);
        for (std::int64_t n = 0; n < d_out.size(0); ++n, from += width) {
            float* into = gradient_of(saved[0]) + ids_of(saved[1])[n] * width;
            for (std::int64_t i = 0; i < width; ++i) into[i] += from[i];
        }
        return {at::Tensor(), at::Tensor()};
    }
};

struct Linear : Function<Linear> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& w) {
        const std::int64_t rows = x.size(0), in = w.size(1), out = w.size(0);
        at::Tensor y = at::empty({rows, out});
        gemm(Transpose::no, Transpose::yes, rows, out, in, 1, {data(x), in}, {data(w), in}, 0, {data(y), out});
        context->save_for_backward({x, w});
        return y;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const variable_list saved = context->get_saved_variables();
        const at::Tensor &x = saved[0], &w = saved[1], d_out = gradients[0].contiguous();
        const std::int64_t rows = x.size(0), in = w.size(1), out = w.size(0);
        at::Tensor dx = at::empty({rows, in});
        gemm(Transpose::yes, Transpose::no, out, in, rows, 1, {data(d_out), out}, {data(x), in}, 1,
             {gradient_of(w), in});
        gemm(Transpose::no, Transpose::no, rows, in, out, 1, {data(d_out), out}, {data(w), in}, 0, {data(dx), in});
        return {dx, at::Tensor()};
    }
};

struct Norm : Function<Norm> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
        at::Tensor h = at::empty_like(x), inverse_rms = at::empty({x.size(0)});
        norm_rows(data(x), x.size(0), x.size(1), data(h), data(inverse_rms));
        context->save_for_backward({x, inverse_rms});
        return h;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const variable_list saved = context->get_saved_variables();
        const at::Tensor& x = saved[0];
        at::Tensor dx = at::empty_like(x);
        norm_rows_backward(data(x), data(saved[1]), data(gradients[0].contiguous()), x.size(0), x.size(1), data(dx));
        return {dx};
    }
};

struct Add : Function<Add> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& scale,
                              const at::Tensor& y) {
        at::Tensor out = at::empty_like(x);
        add_rows(data(x), data(scale), data(y), x.size(0), x.size(1), data(out), nullptr, nullptr);
        context->save_for_backward({scale, y});
        return out;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const variable_list saved = context->get_saved_variables();
        const at::Tensor &scale = saved[0], &y = saved[1], d_out = gradients[0].contiguous();
        at::Tensor dy = at::empty_like(y);
        scale_rows_backward(data(scale), data(y), data(d_out), y.size(0), y.size(1), data(dy), gradient_of(scale));
        return {d_out, at::Tensor(), dy};
    }
};

struct AddNorm : Function<AddNorm> {
    static variable_list forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& scale,
                                 const at::Tensor& y) {
        at::Tensor out = at::empty_like(x), h = at::empty_like(x), inverse_rms = at::empty({x.size(0)});
        add_rows(data(x), data(scale), data(y), x.size(0), x.size(1), data(out), data(h), data(inverse_rms));
        context->save_for_backward({scale, y, out, inverse_rms});
        return {out, h};
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const variable_list saved = context->get_saved_variables(), d = contiguous(std::move(gradients));
        const at::Tensor &scale = saved[0], &y = saved[1];
        at::Tensor dx = at::empty_like(y), dy = at::empty_like(y);
        add_norm_rows_backward(data(scale), data(y), data(saved[2]), data(saved[3]), data(d[0]), data(d[1]), y.size(0),
                               y.size(1), data(dx), data(dy), gradient_of(scale));
        return {dx, at::Tensor(), dy};
    }
};

struct MixNorm : Function<MixNorm> {
    static variable_list forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& a,
                                 const at::Tensor& x0, const at::Tensor& b) {
        at::Tensor out = at::empty_like(x), h = at::empty_like(x), inverse_rms = at::empty({x.size(0)});
        mix_rows(data(x), data(a), data(x0), data(b), x.size(0), x.size(1), data(out), data(h), data(inverse_rms));
        context->save_for_backward({x, a, x0, b, out, inverse_rms});
        return {out, h};
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const variable_list saved = context->get_saved_variables(), d = contiguous(std::move(gradients));
        const at::Tensor &x = saved[0], &a = saved[1], &x0 = saved[2], &b = saved[3];
        at::Tensor dx = at::empty_like(x), dx0 = at::empty_like(x);
        mix_rows_backward(data(x), data(a), data(x0), data(b), data(saved[4]), data(saved[5]), data(d[0]), data(d[1]),
                          x.size(0), x.size(1), data(dx), data(dx0), gradient_of(a), gradient_of(b));
        return {dx, at::Tensor(), dx0, at::Tensor()};
    }
};

struct Activate : Function<Activate> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, std::int64_t mlp) {
        context->save_for_backward({x});
        context->saved_data["mlp"] = mlp;
        if (static_cast<Mlp>(mlp) == Mlp::swiglu) {
            at::Tensor out = at::empty({x.size(0), x.size(1) / 2});
            swiglu(data(x), x.size(0), x.size(1) / 2, data(out));
            return out;
        }
        at::Tensor out = at::empty_like(x);
        (static_cast<Mlp>(mlp) == Mlp::gelu ? gelu : relu2)(data(x), x.numel(), data(out));
        return out;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const auto mlp = static_cast<Mlp>(context->saved_data["mlp"].toInt());
        const at::Tensor x = context->get_saved_variables()[0], d_out = gradients[0].contiguous();
        at::Tensor dx = at::empty_like(x);
        if (mlp == Mlp::swiglu) {
            swiglu_backward(data(x), data(d_out), x.size(0), x.size(1) / 2, data(dx));
        } else {
            (mlp == Mlp::gelu ? gelu_backward : relu2_backward)(data(x), data(d_out), x.numel(), data(dx));
        }
        return {dx, at::Tensor()};
    }
};

AttentionShape shape_of(const AttentionParts& parts) {
    const std::int64_t tokens = parts.cosine.size(0);
    return {parts.qkv.size(0) / tokens, tokens, parts.heads, parts.kv_heads, 2 * parts.cosine.size(1),
            parts.gain.defined()};
}

AttentionInput input_of(const AttentionParts& parts) {
    return {data(parts.qkv),  data(parts.gain),      data(parts.cosine),
            data(parts.sine), data(parts.value_mix), data(parts.first_values)};
}

struct Attend : Function<Attend> {
    // The tensors that the graph passes through are arguments of their own, beside the parts; undefined if absent.
    static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv, const at::Tensor& /*first_values*/,
                              const AttentionParts& parts) {
        const AttentionShape shape = shape_of(parts);
        at::Tensor out = at::empty({qkv.size(0), shape.width()}), log_sums = at::empty({shape.heads, qkv.size(0)});
        attention(shape, input_of(parts), data(out), data(log_sums), scratch(attention_scratch_floats(shape)));
        context->save_for_backward(
            {qkv, parts.first_values, out, log_sums, parts.gain, parts.value_mix, parts.cosine, parts.sine});
        context->saved_data["heads"] = parts.heads;
        context->saved_data["kv_heads"] = parts.kv_heads;
        return out;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const variable_list saved = context->get_saved_variables();
        const AttentionParts parts{saved[0],
                                   saved[4],
                                   saved[5],
                                   saved[1],
                                   saved[6],
                                   saved[7],
                                   context->saved_data["heads"].toInt(),
                                   context->saved_data["kv_heads"].toInt()};
        const AttentionShape shape = shape_of(parts);
        at::Tensor d_qkv = at::empty_like(parts.qkv), d_first;
        if (parts.first_values.defined()) d_first = at::empty_like(parts.first_values);
        attention_backward(shape, input_of(parts), data(saved[2]), data(saved[3]), data(gradients[0].contiguous()),
                           {data(d_qkv), gradient_of(parts.gain), gradient_of(parts.value_mix), data(d_first)},
                           scratch(attention_scratch_floats(shape)));
        return {d_qkv, d_first, at::Tensor()};
    }
};

class FusedOps : public Ops {
public:
    at::Tensor lookup(const at::Tensor& table, const at::Tensor& ids) const override {
        return Lookup::apply(table, ids);
    }
    at::Tensor linear(const at::Tensor& x, const at::Tensor& w) const override { return Linear::apply(x, w); }
    at::Tensor norm(const at::Tensor& x) const override { return Norm::apply(x); }
    at::Tensor add(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& y) const override {
        return Add::apply(x, scale, y);
    }
    Normed add_norm(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& y) const override {
        const variable_list out = AddNorm::apply(x, scale, y);
        return {out[0], out[1]};
    }
    Normed mix_norm(const at::Tensor& x, const at::Tensor& a, const at::Tensor& x0,
                    const at::Tensor& b) const override {
        const variable_list out = MixNorm::apply(x, a, x0, b);
        return {out[0], out[1]};
    }
    at::Tensor activate(Mlp mlp, const at::Tensor& x) const override {
        return Activate::apply(x, static_cast<std::int64_t>(mlp));
    }
    at::Tensor attend(const AttentionParts& parts) const override {
        const at::Tensor first = parts.first_values.defined() ? parts.first_values : at::empty({0});
        return Attend::apply(parts.qkv, first, parts);
    }

    at::Tensor losses(const at::Tensor& x, const at::Tensor& head, const at::Tensor& targets,
                      double cap) const override {
        const Head shape{data(head), head.size(0), head.size(1), cap};
        at::Tensor out = at::empty({x.size(0)});
        head_losses(shape, data(x), ids_of(targets), x.size(0), data(out), scratch(head_scratch_floats(shape)));
        return out;
    }

    double backward(const at::Tensor& x, const at::Tensor& head, const at::Tensor& targets, double cap,
                    double weight) const override {
        const Head shape{data(head), head.size(0), head.size(1), cap};
        const std::int64_t rows = x.size(0);
        at::Tensor losses = at::empty({rows}), dx = at::empty({rows, x.size(1)});
        head_losses_and_gradients(shape, data(x), ids_of(targets), rows, static_cast<float>(weight), data(losses),
                                  data(dx), gradient_of(head), scratch(head_scratch_floats(shape)));
        torch::autograd::backward({x}, {dx});
        return std::accumulate(data(losses), data(losses) + rows, 0.0);
    }
};

}  // namespace

const Ops& fused_ops() {
    static const FusedOps ops;
    return ops;
}

}  // namespace cultivar
