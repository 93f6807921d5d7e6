// The optimizers' arithmetic over pieces of the model's flat arrays, in two equivalent versions: fused kernels for the
// CPU, and plain torch for every other device. Plain torch is also the reference for tests. All tensors are fp32, of
// one dimension and of the same length unless said. Thread-safe on pieces that do not overlap.
#pragma once

#include <ATen/ATen.h>

#include "train/lm/kernels/optimizer_steps.h"

namespace cultivar {

struct MuonStep {
    double rate;      // without the shape's factor sqrt(max(1, rows / columns)), which muon() applies
    double keep;      // multiplies the weights first: 1 - rate * decay
    double momentum;  // Nesterov
    double factor;    // multiplies the gradient (clipping)
    std::int64_t iterations;
};

class Updates {
public:
    virtual ~Updates() = default;

    // buffer <- momentum * buffer + g; values <- keep * values - rate * shape's factor * orthogonal(g + momentum *
    // buffer), g = factor * gradient. Clears the gradient. values [rows * columns].
    virtual void muon(const MuonStep& step, std::int64_t rows, std::int64_t columns, const at::Tensor& gradient,
                      const at::Tensor& buffer, const at::Tensor& values) const = 0;
    // Adam; see AdamStep. Clears the gradient.
    virtual void adam(const AdamStep& step, const at::Tensor& gradient, const at::Tensor& mean,
                      const at::Tensor& square, const at::Tensor& values) const = 0;
    // into += from; from = 0.
    virtual void drain(const at::Tensor& from, const at::Tensor& into) const = 0;
    virtual double sum_of_squares(const at::Tensor& x) const = 0;
    // average += share * (values - average).
    virtual void average(const at::Tensor& values, double share, const at::Tensor& average) const = 0;
};

const Updates& fused_updates();  // CPU only
const Updates& plain_updates();

}  // namespace cultivar
