#include "train/lm/ops/ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tests/train/lm/support/tiny.h"

namespace cultivar {
namespace {

at::Tensor noise(at::IntArrayRef shape, double number, double amplitude) {
    at::Tensor tensor = at::empty(shape);
    for (std::int64_t i = 0; i < tensor.numel(); ++i) tensor.data_ptr<float>()[i] = tiny_noise(i, number, amplitude);
    return tensor;
}

// A parameter: a leaf with an allocated gradient that is not zero, since gradients are added.
at::Tensor leaf(at::IntArrayRef shape, double number, double amplitude) {
    at::Tensor tensor = noise(shape, number, amplitude);
    tensor.set_requires_grad(true);
    tensor.mutable_grad() = at::ones(shape);
    return tensor;
}

void expect_near(const at::Tensor& actual, const at::Tensor& expected, const std::string& what = "") {
    EXPECT_TRUE(actual.allclose(expected, 1e-4, 2e-5)) << what << " " << (actual - expected).abs().max().item<double>();
}

// The results of some operations and the gradients of all their inputs.
struct Use {
    std::vector<at::Tensor> outputs;
    std::vector<at::Tensor> leaves;
};

void expect_same(const std::function<Use(const Ops&)>& use) {
    const auto run = [&](const Ops& ops) {
        const Use made = use(ops);
        at::Tensor sum = at::zeros({});
        std::vector<at::Tensor> figures;
        for (std::size_t i = 0; i < made.outputs.size(); ++i) {
            sum = sum + (made.outputs[i] * noise(made.outputs[i].sizes(), 50 + static_cast<double>(i), 1)).sum();
            figures.push_back(made.outputs[i].detach());
        }
        sum.backward();
        for (const at::Tensor& each : made.leaves) figures.push_back(each.grad());
        return figures;
    };
    const std::vector<at::Tensor> fused = run(fused_ops()), plain = run(plain_ops());
    for (std::size_t i = 0; i < plain.size(); ++i) expect_near(fused[i], plain[i], "figure " + std::to_string(i));
}

constexpr std::int64_t kInputRows = 7, kWidth = 40;

TEST(FusedOps, LookUpLikeThePlainOnesAlsoWhenIdsRepeat) {
    expect_same([](const Ops& ops) -> Use {
        const at::Tensor table = leaf({9, kWidth}, 1, 1);
        return {{ops.lookup(table, at::tensor({3, 0, 8, 3, 3}, at::kLong))}, {table}};
    });
}

TEST(FusedOps, MultiplyLikeThePlainOnes) {
    expect_same([](const Ops& ops) -> Use {
        const at::Tensor x = leaf({kInputRows, kWidth}, 1, 1), w = leaf({24, kWidth}, 2, 1);
        return {{ops.linear(x, w)}, {x, w}};
    });
}

TEST(FusedOps, NormAndAddLikeThePlainOnes) {
    expect_same([](const Ops& ops) -> Use {
        const at::Tensor x = leaf({kInputRows, kWidth}, 1, 2), y = leaf({kInputRows, kWidth}, 2, 1),
                         s = leaf({kWidth}, 3, 1);
        const Normed both = ops.add_norm(x, s, y);
        return {{ops.norm(x), ops.add(x, s, y), both.sum, both.normed}, {x, y, s}};
    });
}

TEST(FusedOps, MixLikeThePlainOnes) {
    expect_same([](const Ops& ops) -> Use {
        const at::Tensor x = leaf({kInputRows, kWidth}, 1, 2), x0 = leaf({kInputRows, kWidth}, 2, 1);
        const at::Tensor a = leaf({kWidth}, 3, 1), b = leaf({kWidth}, 4, 1);
        const Normed both = ops.mix_norm(x, a, x0, b);
        return {{both.sum, both.normed}, {x, x0, a, b}};
    });
}

TEST(FusedOps, ActivateLikeThePlainOnesOverTheWholeRange) {
    for (Mlp mlp : {Mlp::relu2, Mlp::gelu, Mlp::swiglu}) {
        for (double amplitude : {0.01, 3.0, 40.0}) {
            expect_same([&](const Ops& ops) -> Use {
                const at::Tensor x = leaf({kInputRows, 2 * kWidth}, 1, amplitude);
                return {{ops.activate(mlp, x)}, {x}};
            });
        }
    }
}

// Several blocks of queries, the last one not full; more than one row; with and without norm and value residual.
TEST(FusedOps, AttendLikeThePlainOnes) {
    for (const auto& [tokens, heads, kv_heads] : {std::tuple{1, 2, 1}, {64, 4, 2}, {130, 4, 4}, {300, 2, 1}}) {
        for (bool variant : {false, true}) {
            expect_same([&, t = tokens, h = heads, k = kv_heads](const Ops& ops) -> Use {
                const std::int64_t dim = 12, n = 2 * t;
                const Rotary rotary = make_rotary(t, dim, variant ? 2 : 6, 1e4);
                AttentionParts parts{leaf({n, (h + 2 * k) * dim}, 1, 2), {}, {}, {}, rotary.cosine, rotary.sine, h, k};
                Use use{{}, {parts.qkv}};
                if (variant) {
                    parts.value_mix = leaf({2}, 3, 1);
                    parts.first_values = leaf({n, k * dim}, 4, 1);
                    use.leaves.insert(use.leaves.end(), {parts.value_mix, parts.first_values});
                } else {
                    parts.gain = leaf({h}, 2, 2);
                    use.leaves.push_back(parts.gain);
                }
                use.outputs.push_back(ops.attend(parts));
                return use;
            });
        }
    }
}

TEST(FusedOps, HaveTheLossesAndGradientsOfThePlainOnes) {
    const std::int64_t rows = 300, vocabulary = 5000;  // several blocks of logits
    const at::Tensor targets = at::arange(rows, at::kLong) * 13 % vocabulary;
    const auto run = [&](const Ops& ops) {
        const at::Tensor x = leaf({rows, 16}, 1, 3), head = leaf({vocabulary, 16}, 2, 3);
        const double sum = ops.backward(x * 1, head, targets, 20, 0.5);
        return std::vector<at::Tensor>{at::scalar_tensor(sum / rows), x.grad(), head.grad(),
                                       ops.losses(x.detach(), head.detach(), targets, 20)};
    };
    const std::vector<at::Tensor> fused = run(fused_ops()), plain = run(plain_ops());
    for (std::size_t i = 0; i < plain.size(); ++i) expect_near(fused[i], plain[i], "figure " + std::to_string(i));
}

TEST(FusedOps, LetNothingThatIsNotANumberPassForOne) {
    const at::Tensor x = at::full({1, 8}, NAN);
    EXPECT_TRUE(fused_ops().activate(Mlp::relu2, x).isnan().all().item<bool>());
    EXPECT_TRUE(fused_ops().activate(Mlp::gelu, x).isnan().all().item<bool>());
    EXPECT_TRUE(fused_ops().activate(Mlp::swiglu, x).isnan().all().item<bool>());
    EXPECT_TRUE(fused_ops().norm(x).isnan().all().item<bool>());
    EXPECT_TRUE(fused_ops().losses(x, noise({5, 8}, 1, 1), at::zeros({1}, at::kLong), 30).isnan().all().item<bool>());
}

// The simplest case of the formula: position 1, pair 0, one radian.
TEST(Rotary, TurnsEachPairByItsAngleAndLeavesTheRestAlone) {
    const Rotary rotary = make_rotary(5, 8, 2, 100);
    EXPECT_EQ(rotary.cosine[0].min().item<float>(), 1);
    EXPECT_NEAR(rotary.cosine[1][0].item<float>(), std::cos(1.0), 1e-6);
    EXPECT_NEAR(rotary.sine[3][1].item<float>(), std::sin(3 * std::pow(100.0, -0.5)), 1e-6);
    EXPECT_EQ(rotary.sine.narrow(1, 2, 2).abs().max().item<float>(), 0);
}

TEST(PlainOps, NormGivesRowsOfMeanSquareOne) {
    const at::Tensor x = noise({4, 32}, 1, 7);
    expect_near(plain_ops().norm(x).square().mean(-1), at::ones({4}));
    EXPECT_EQ(plain_ops().norm(at::zeros({2, 8})).abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace cultivar
