// The optimizers' passes over flat arrays of `count` floats; each value is touched once. One thread.
#pragma once

#include <cstdint>

namespace cultivar {

// into += from; from = 0.
void drain(float* from, std::int64_t count, float* into);

double sum_of_squares(const float* x, std::int64_t count);

// Muon's momentum (Nesterov): buffer = momentum * buffer + g; out = g + momentum * buffer, g = factor * gradient.
// Returns the sum of out's squares; clears the gradient.
double momentum_step(float* gradient, float factor, float momentum, std::int64_t count, float* buffer, float* out);

struct AdamStep {
    float rate;  // includes the first moment's correction
    float beta1, beta2;
    float square_correction;  // 1 / sqrt(1 - beta2^t)
    float epsilon;
    float keep;    // multiplies the weights first: 1 - rate * decay
    float factor;  // multiplies the gradient (clipping)
};

// Adam (Kingma, Ba 2015) with decoupled weight decay; clears the gradient.
void adam_step(const AdamStep& step, float* gradient, std::int64_t count, float* mean, float* square, float* values);

void scale(float factor, std::int64_t count, float* x);

// values = keep * values + factor * update.
void apply_update(const float* update, float factor, float keep, std::int64_t count, float* values);

// average += share * (values - average).
void average_step(const float* values, float share, std::int64_t count, float* average);

}  // namespace cultivar
