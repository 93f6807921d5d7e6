#include "train/lm/kernels/optimizer_steps.h"

#include <algorithm>
#include <cmath>

#include "train/lm/kernels/target_clones.h"

namespace cultivar {
namespace {

constexpr std::int64_t kExactSum = 1024;  // floats summed in fp32 before they are added to the sum in double

}  // namespace

CULTIVAR_CLONES
void drain(float* from, std::int64_t count, float* into) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
        into[i] += from[i];
        from[i] = 0;
    }
}

CULTIVAR_CLONES
double sum_of_squares(const float* x, std::int64_t count) {
    double total = 0;
    for (std::int64_t begin = 0; begin < count; begin += kExactSum) {
        const std::int64_t end = std::min(begin + kExactSum, count);
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (std::int64_t i = begin; i < end; ++i) sum += x[i] * x[i];
        total += static_cast<double>(sum);
    }
    return total;
}

CULTIVAR_CLONES
double momentum_step(float* gradient, float factor, float momentum, std::int64_t count, float* buffer, float* out) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
        const float g = factor * gradient[i];
        const float b = momentum * buffer[i] + g;
        buffer[i] = b;
        out[i] = g + momentum * b;
        gradient[i] = 0;
    }
    return sum_of_squares(out, count);
}

CULTIVAR_CLONES
void adam_step(const AdamStep& step, float* gradient, std::int64_t count, float* mean, float* square, float* values) {
    const AdamStep s = step;
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
        const float g = s.factor * gradient[i];
        const float m = s.beta1 * mean[i] + (1 - s.beta1) * g;
        const float v = s.beta2 * square[i] + (1 - s.beta2) * g * g;
        mean[i] = m;
        square[i] = v;
        values[i] = s.keep * values[i] - s.rate * m / (std::sqrt(v) * s.square_correction + s.epsilon);
        gradient[i] = 0;
    }
}

CULTIVAR_CLONES
void scale(float factor, std::int64_t count, float* x) {
    for (std::int64_t i = 0; i < count; ++i) x[i] *= factor;
}

CULTIVAR_CLONES
void apply_update(const float* update, float factor, float keep, std::int64_t count, float* values) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) values[i] = keep * values[i] + factor * update[i];
}

CULTIVAR_CLONES
void average_step(const float* values, float share, std::int64_t count, float* average) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) average[i] += share * (values[i] - average[i]);
}

}  // namespace cultivar
