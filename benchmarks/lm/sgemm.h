// Measures how fast this machine multiplies matrices of a model's own shapes: the upper limit for its training speed.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "train/lm/loop/stepper.h"

namespace cultivar {

// The products of one micro-batch's forward and backward pass with the model's weights, each as often as it occurs: y =
// x w^T, dx = dy w, dw += dy^T x. Matrices with the same input count as one (q, k, v; fc and gate), which raises this
// rate. Attention is not included. fp32; on CUDA bf16, as in training there.
class SgemmCeiling {
public:
    SgemmCeiling(const LmConfig& config, at::Device device);

    // Returns FLOP/s over all products. They are repeated for about `seconds` in total, each in proportion to its
    // weight in training. `side_by_side`: one single-threaded micro-batch in each of the plan's lanes; otherwise one
    // product at a time, of all lanes' rows, on all threads.
    double flops_per_s(bool side_by_side, double seconds);

private:
    struct Product {
        std::int64_t outputs, inputs;
        at::Tensor weight;
    };
    struct Lane {
        std::vector<at::Tensor> inputs, outputs, weight_gradients;  // one per product
    };

    std::vector<Lane> make_lanes(std::int64_t count, std::int64_t rows) const;
    void pass(Lane& lane) const;

    StepPlan plan_;
    at::TensorOptions options_;
    std::vector<Product> products_;
};

}  // namespace cultivar
