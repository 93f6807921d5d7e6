#include "train/lm/ops/weight_updates.h"

#include <gtest/gtest.h>

#include "tests/train/lm/support/tiny.h"
#include "train/lm/kernels/newton_schulz.h"

namespace cultivar {
namespace {

at::Tensor noise(std::int64_t size, double number, double amplitude) {
    at::Tensor tensor = at::empty({size});
    for (std::int64_t i = 0; i < size; ++i) tensor.data_ptr<float>()[i] = tiny_noise(i, number, amplitude);
    return tensor;
}

void expect_alike(const at::Tensor& actual, const at::Tensor& expected, double relative = 1e-5) {
    EXPECT_TRUE(actual.allclose(expected, relative, 1e-6)) << (actual - expected).abs().max().item<double>();
}

// Wide, square and tall matrices, none a multiple of a vector.
TEST(FusedUpdates, DoMuonLikeThePlainOnes) {
    for (const auto& [rows, columns] : {std::pair{24, 67}, {33, 33}, {67, 24}, {1, 5}}) {
        const std::int64_t size = rows * columns;
        const auto run = [&, r = rows, c = columns](const Updates& updates) {
            const at::Tensor gradient = noise(size, 1, 1), buffer = noise(size, 2, 1), values = noise(size, 3, 1);
            updates.muon({0.04, 0.99, 0.9, 0.5, 6}, r, c, gradient, buffer, values);
            EXPECT_EQ(gradient.abs().max().item<float>(), 0);
            return std::pair{values, buffer};
        };
        const auto fused = run(fused_updates()), plain = run(plain_updates());
        expect_alike(fused.first, plain.first, 1e-4);
        expect_alike(fused.second, plain.second);
    }
}

TEST(FusedUpdates, DoAdamLikeThePlainOnes) {
    AdamStep step{};
    step.rate = 0.05F, step.beta1 = 0.9F, step.beta2 = 0.95F, step.square_correction = 4, step.epsilon = 1e-8F;
    step.keep = 0.98F, step.factor = 0.25F;
    const auto run = [&](const Updates& updates) {
        const at::Tensor gradient = noise(1001, 1, 1), mean = noise(1001, 2, 1), square = noise(1001, 3, 1).square();
        const at::Tensor values = noise(1001, 4, 1);
        updates.adam(step, gradient, mean, square, values);
        EXPECT_EQ(gradient.abs().max().item<float>(), 0);
        return std::vector<at::Tensor>{values, mean, square};
    };
    const auto fused = run(fused_updates()), plain = run(plain_updates());
    for (std::size_t i = 0; i < fused.size(); ++i) expect_alike(fused[i], plain[i]);
}

TEST(FusedUpdates, DrainSumAndAverageLikeThePlainOnes) {
    const auto run = [&](const Updates& updates) {
        const at::Tensor from = noise(3000, 1, 1), into = noise(3000, 2, 1), average = noise(3000, 3, 1);
        const double sum = updates.sum_of_squares(from);
        updates.drain(from, into);
        updates.average(into, 0.25, average);
        EXPECT_EQ(from.abs().max().item<float>(), 0);
        return std::vector<at::Tensor>{into, average, at::scalar_tensor(sum)};
    };
    const auto fused = run(fused_updates()), plain = run(plain_updates());
    for (std::size_t i = 0; i < fused.size(); ++i) expect_alike(fused[i], plain[i]);
}

TEST(NewtonSchulz, BringsSingularValuesNearOne) {
    for (const auto& [rows, columns] : {std::pair<std::int64_t, std::int64_t>{24, 24}, {16, 40}, {40, 16}}) {
        at::Tensor matrix = noise(rows * columns, 1, 1).view({rows, columns});
        matrix.div_(matrix.norm());
        std::vector<float> scratch(static_cast<std::size_t>(newton_schulz_scratch_floats(rows, columns)));
        newton_schulz(matrix.data_ptr<float>(), rows, columns, 10, scratch.data());
        const at::Tensor gram = rows < columns ? at::mm(matrix, matrix.t()) : at::mm(matrix.t(), matrix);
        EXPECT_GT(gram.diagonal().min().item<double>(), 0.4);
        EXPECT_LT(gram.diagonal().max().item<double>(), 1.6);
    }
}

}  // namespace
}  // namespace cultivar
