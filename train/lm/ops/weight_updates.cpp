#include "train/lm/ops/weight_updates.h"

#include <cmath>
#include <vector>

#include "train/lm/kernels/newton_schulz.h"

namespace cultivar {
namespace {

constexpr double kMatrixNormEpsilon = 1e-7;
constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315;

double shape_factor(std::int64_t rows, std::int64_t columns) {
    return std::sqrt(std::max(1.0, static_cast<double>(rows) / static_cast<double>(columns)));
}

float* floats(const at::Tensor& tensor) { return tensor.data_ptr<float>(); }

class FusedUpdates : public Updates {
public:
    void muon(const MuonStep& step, std::int64_t rows, std::int64_t columns, const at::Tensor& gradient,
              const at::Tensor& buffer, const at::Tensor& values) const override {
        static thread_local std::vector<float> memory;
        const std::int64_t size = rows * columns, needed = size + newton_schulz_scratch_floats(rows, columns);
        if (memory.size() < static_cast<std::size_t>(needed)) memory.resize(static_cast<std::size_t>(needed));
        float* update = memory.data();
        const double squares = momentum_step(floats(gradient), static_cast<float>(step.factor),
                                             static_cast<float>(step.momentum), size, floats(buffer), update);
        scale(static_cast<float>(1 / (std::sqrt(squares) + kMatrixNormEpsilon)), size, update);
        newton_schulz(update, rows, columns, step.iterations, update + size);
        apply_update(update, static_cast<float>(-step.rate * shape_factor(rows, columns)),
                     static_cast<float>(step.keep), size, floats(values));
    }

    void adam(const AdamStep& step, const at::Tensor& gradient, const at::Tensor& mean, const at::Tensor& square,
              const at::Tensor& values) const override {
        adam_step(step, floats(gradient), values.numel(), floats(mean), floats(square), floats(values));
    }

    void drain(const at::Tensor& from, const at::Tensor& into) const override {
        cultivar::drain(floats(from), from.numel(), floats(into));
    }

    double sum_of_squares(const at::Tensor& x) const override { return cultivar::sum_of_squares(floats(x), x.numel()); }

    void average(const at::Tensor& values, double share, const at::Tensor& average) const override {
        average_step(floats(values), static_cast<float>(share), values.numel(), floats(average));
    }
};

at::Tensor orthogonal(const at::Tensor& matrix, std::int64_t iterations) {
    const bool tall = matrix.size(0) > matrix.size(1);
    at::Tensor x = (tall ? matrix.t() : matrix) / (matrix.norm() + kMatrixNormEpsilon);
    for (std::int64_t i = 0; i < iterations; ++i) {
        const at::Tensor a = at::mm(x, x.t());
        x = at::addmm(x, at::addmm(a, a, a, kB, kC), x, kA, 1);
    }
    return tall ? x.t() : x;
}

class PlainUpdates : public Updates {
public:
    void muon(const MuonStep& step, std::int64_t rows, std::int64_t columns, const at::Tensor& gradient,
              const at::Tensor& buffer, const at::Tensor& values) const override {
        const at::Tensor g = gradient * step.factor;
        buffer.mul_(step.momentum).add_(g);
        const at::Tensor update = orthogonal(at::add(g, buffer, step.momentum).view({rows, columns}), step.iterations);
        values.mul_(step.keep).view({rows, columns}).add_(update, -step.rate * shape_factor(rows, columns));
        gradient.zero_();
    }

    void adam(const AdamStep& step, const at::Tensor& gradient, const at::Tensor& mean, const at::Tensor& square,
              const at::Tensor& values) const override {
        const at::Tensor g = gradient * step.factor;
        mean.mul_(step.beta1).add_(g, 1 - step.beta1);
        square.mul_(step.beta2).addcmul_(g, g, 1 - step.beta2);
        const at::Tensor spread = at::sqrt(square).mul_(step.square_correction).add_(step.epsilon);
        values.mul_(step.keep).addcdiv_(mean, spread, -step.rate);
        gradient.zero_();
    }

    void drain(const at::Tensor& from, const at::Tensor& into) const override {
        into.add_(from);
        from.zero_();
    }

    double sum_of_squares(const at::Tensor& x) const override { return (x * x).sum(at::kDouble).item<double>(); }

    void average(const at::Tensor& values, double share, const at::Tensor& average) const override {
        average.add_(values - average, share);
    }
};

}  // namespace

const Updates& fused_updates() {
    static const FusedUpdates updates;
    return updates;
}

const Updates& plain_updates() {
    static const PlainUpdates updates;
    return updates;
}

}  // namespace cultivar
