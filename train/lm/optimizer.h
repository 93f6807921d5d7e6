// The optimizers of Parameter Golf's baseline over the model's flat buffers.
//
// Muon (Jordan et al. 2024) for the blocks' matrices: buffer <- momentum * buffer + g; update = the orthogonal factor
// of g + momentum * buffer (Nesterov) by Newton-Schulz iterations, X <- aX + (bA + cA^2)X with A = X X^T and
// (a, b, c) = (3.4445, -4.7750, 2.0315), times sqrt(max(1, rows / columns)). Adam (Kingma, Ba 2015; epsilon 1e-8) for
// embedding, head and everything of less than two dimensions. All in fp32.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "train/lm/model.h"

namespace cultivar {

class Optimizer {
public:
    Optimizer(Model& model, const OptimConfig& config);

    // One step from the model's gathered gradients, which it clips if the configuration says so and then clears. `step`
    // counts from 0; `multiplier` is the schedule's factor of all rates. Cost: Newton-Schulz dominates,
    // muon_steps * (4 * rows * columns * smaller + 2 * smaller^3) FLOPs a matrix.
    void step(std::int64_t step, double multiplier);

    // The state a checkpoint needs, flat, of the model's size each.
    std::span<float> first_moment_floats();   // Muon's momentum and Adam's mean
    std::span<float> second_moment_floats();  // Adam's mean square; unused for matrices

private:
    void clip();
    void muon(const TensorPlace& matrix, double momentum, double multiplier);
    void adam(Group group, double rate, std::int64_t step);

    Model& model_;
    OptimConfig config_;
    std::vector<TensorPlace> matrices_;
    at::Tensor first_, second_;
};

// Orthogonalises a matrix; exposed for tests.
at::Tensor newton_schulz(const at::Tensor& matrix, std::int64_t iterations);

}  // namespace cultivar
