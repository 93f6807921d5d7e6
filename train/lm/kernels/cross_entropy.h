// The output head: logits = cap * tanh(z / cap), z = x w^T, and their cross-entropy. A few rows are computed at a time,
// so that the logits stay in the cache and are never stored whole. fp32, one thread. Shapes: x [rows, d], w
// [vocabulary, d].
#pragma once

#include <cstdint>

namespace cultivar {

struct Head {
    const float* w;
    std::int64_t vocabulary, d;
    double cap;
};

// Scratch floats that the two functions below need.
std::int64_t head_scratch_floats(const Head& head);

// Computes losses [rows], in nats, of targets [rows], which must be below the vocabulary.
void head_losses(const Head& head, const float* x, const std::int64_t* targets, std::int64_t rows, float* losses,
                 float* scratch);

// The same, and the gradient of weight * (their sum): dx [rows, d] is overwritten, dw [vocabulary, d] is added to.
void head_losses_and_gradients(const Head& head, const float* x, const std::int64_t* targets, std::int64_t rows,
                               float weight, float* losses, float* dx, float* dw, float* scratch);

}  // namespace cultivar
