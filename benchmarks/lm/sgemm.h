// How fast this machine multiplies matrices of a model's own shapes: the ceiling for its training.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "train/lm/loop/stepper.h"

namespace cultivar {

// The products of one micro-batch's forward and backward pass with the model's weights, each as often as it occurs:
// y = x w^T, dx = dy w, dw += dy^T x. Matrices of the same input count as one (q, k, v; fc and gate), which favours
// this rate. Attention is not among them. In fp32; on CUDA in bf16, as training there.
class SgemmCeiling {
public:
    SgemmCeiling(const LmConfig& config, at::Device device);

    // FLOP/s over all products, each run so often that the whole takes about `seconds`, so that every product weighs as
    // much as it does in training. `side_by_side`: one single-threaded micro-batch in each of the plan's lanes;
    // otherwise one product at a time, of all lanes' rows, on all threads.
    double flops_per_s(bool side_by_side, double seconds);

private:
    struct Product {
        std::int64_t outputs, inputs;
        at::Tensor weight;
    };
    struct Lane {
        std::vector<at::Tensor> inputs, outputs, weight_gradients;  // one of each product
    };

    std::vector<Lane> make_lanes(std::int64_t count, std::int64_t rows) const;
    void pass(Lane& lane) const;

    StepPlan plan_;
    at::TensorOptions options_;
    std::vector<Product> products_;
};

}  // namespace cultivar
