#include "train/lm/ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/train/lm/tiny.h"

namespace cultivar {
namespace {

at::Tensor noise(at::IntArrayRef shape, double number, double amplitude) {
    at::Tensor tensor = at::empty(shape);
    for (std::int64_t i = 0; i < tensor.numel(); ++i) tensor.data_ptr<float>()[i] = tiny_noise(i, number, amplitude);
    tensor.set_requires_grad(true);
    return tensor;
}

// The same in the plainest words that torch has.
at::Tensor plain_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    const std::int64_t group = q.size(1) / k.size(1), tokens = q.size(2);
    const at::Tensor keys = k.repeat_interleave(group, 1), values = v.repeat_interleave(group, 1);
    const at::Tensor future = at::ones({tokens, tokens}).triu(1).to(at::kBool);
    const at::Tensor scores = at::matmul(q, keys.transpose(2, 3)) / std::sqrt(static_cast<double>(q.size(3)));
    return at::matmul(scores.masked_fill(future, -std::numeric_limits<double>::infinity()).softmax(-1), values);
}

void expect_near(const at::Tensor& actual, const at::Tensor& expected) {
    EXPECT_TRUE(actual.allclose(expected, 1e-4, 1e-5)) << (actual - expected).abs().max().item<double>();
}

// Several blocks of queries, the last one not full; groups of heads; more than one row.
TEST(Attention, AgreesWithThePlainFormulaForwardAndBack) {
    for (std::int64_t tokens : {1, 64, 128, 300}) {
        at::Tensor q = noise({2, 4, tokens, 8}, 1, 2), k = noise({2, 2, tokens, 8}, 2, 2),
                   v = noise({2, 2, tokens, 8}, 3, 1);
        const at::Tensor weight = noise({2, 4, tokens, 8}, 4, 1).detach();
        const at::Tensor out = causal_attention(q, k, v);
        (out * weight).sum().backward();
        const std::vector<at::Tensor> gradients{q.grad().clone(), k.grad().clone(), v.grad().clone()};
        for (at::Tensor* leaf : {&q, &k, &v}) leaf->mutable_grad() = at::Tensor();
        const at::Tensor plain = plain_attention(q, k, v);
        (plain * weight).sum().backward();
        expect_near(out, plain);
        expect_near(gradients[0], q.grad());
        expect_near(gradients[1], k.grad());
        expect_near(gradients[2], v.grad());
    }
}

TEST(CrossEntropy, AgreesWithThePlainFormulaForwardAndBack) {
    const std::int64_t rows = 300, vocabulary = 5000;  // several blocks of logits
    at::Tensor x = noise({rows, 16}, 1, 3), w = noise({vocabulary, 16}, 2, 3);
    const at::Tensor targets = at::arange(rows, at::kLong) * 13 % vocabulary;
    const at::Tensor loss = softcap_cross_entropy(x, w, targets, 20);
    (loss * 0.5).backward();
    const at::Tensor dx = x.grad().clone(), dw = w.grad().clone();
    for (at::Tensor* leaf : {&x, &w}) leaf->mutable_grad() = at::Tensor();
    const at::Tensor logits = (at::mm(x, w.t()) / 20).tanh() * 20;
    const at::Tensor losses = -logits.log_softmax(1).gather(1, targets.unsqueeze(1)).squeeze(1);
    (losses.sum() * 0.5).backward();
    EXPECT_NEAR(loss.item<double>(), losses.sum(at::kDouble).item<double>(), 1e-2);
    expect_near(dx, x.grad());
    expect_near(dw, w.grad());
    expect_near(softcap_losses(x.detach(), w.detach(), targets, 20), losses);
}

TEST(Rotary, KeepsLengthsAndLeavesPositionZeroAlone) {
    const at::Tensor x = noise({1, 5, 2, 8}, 1, 1).detach();
    const at::Tensor turned = Rotary(5, 8, 1e4)(x);
    expect_near(turned.select(1, 0), x.select(1, 0));
    expect_near(turned.norm(2, -1), x.norm(2, -1));
    // Position 1, pair 0: one radian.
    const float a = x[0][1][0][0].item<float>(), b = x[0][1][0][4].item<float>();
    EXPECT_NEAR(turned[0][1][0][0].item<float>(), a * std::cos(1.0) + b * std::sin(1.0), 1e-6);
    EXPECT_NEAR(turned[0][1][0][4].item<float>(), b * std::cos(1.0) - a * std::sin(1.0), 1e-6);
}

TEST(RmsNorm, GivesRowsOfMeanSquareOne) {
    const at::Tensor x = noise({4, 32}, 1, 7).detach();
    expect_near(rms_norm(x).square().mean(-1), at::ones({4}));
    EXPECT_EQ(rms_norm(at::zeros({2, 8})).abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace cultivar
