#include "train/lm/kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "train/lm/kernels/gemm.h"
#include "train/lm/kernels/vector_math.h"

namespace cultivar {
namespace {

constexpr std::int64_t kLogitFloats = 128 * 1024;  // half of a core's second-level cache
constexpr std::int64_t kMostRows = 256;

std::int64_t block_rows(const Head& head) {
    return std::clamp<std::int64_t>(kLogitFloats / head.vocabulary, 16, kMostRows);
}

struct RowSum {
    float highest, sum;
};

// Turns z into the capped logits and e into their exponentials relative to the highest.
CULTIVAR_INLINE RowSum soften(float* z, float* e, std::int64_t vocabulary, float cap) {
    const float inverse = 1 / cap;
    float highest = -cap;
#pragma omp simd reduction(max : highest)
    for (std::int64_t i = 0; i < vocabulary; ++i) {
        const float logit = cap * fast_tanh(z[i] * inverse);
        z[i] = logit;
        highest = logit > highest ? logit : highest;
    }
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < vocabulary; ++i) {
        e[i] = fast_exp(z[i] - highest);
        sum += e[i];
    }
    return {highest, sum};
}

// Computes the losses of a block of z; with a weight, also replaces z by its gradient.
CULTIVAR_CLONES
void block_losses(float* z, float* e, const std::int64_t* targets, std::int64_t rows, std::int64_t vocabulary,
                  float cap, float weight, float* losses) {
    for (std::int64_t n = 0; n < rows; ++n, z += vocabulary) {
        const RowSum row = soften(z, e, vocabulary, cap);
        losses[n] = std::log(row.sum) + row.highest - z[targets[n]];
        if (weight == 0) continue;
        const float scale = weight / row.sum, inverse = 1 / cap;
        const float at_target = z[targets[n]] * inverse;
#pragma omp simd
        for (std::int64_t i = 0; i < vocabulary; ++i) {
            const float bent = z[i] * inverse;
            z[i] = scale * e[i] * (1 - bent * bent);  // (p - 1[target]) * (1 - tanh^2)
        }
        z[targets[n]] -= weight * (1 - at_target * at_target);
    }
}

template <typename Block>
void each_block(const Head& head, std::int64_t rows, const Block& block) {
    for (std::int64_t begin = 0; begin < rows; begin += block_rows(head)) {
        block(begin, std::min(block_rows(head), rows - begin));
    }
}

void multiply(const Head& head, const float* x, std::int64_t rows, float* z) {
    gemm(Transpose::no, Transpose::yes, rows, head.vocabulary, head.d, 1, {x, head.d}, {head.w, head.d}, 0,
         {z, head.vocabulary});
}

}  // namespace

std::int64_t head_scratch_floats(const Head& head) { return (block_rows(head) + 1) * head.vocabulary; }

void head_losses(const Head& head, const float* x, const std::int64_t* targets, std::int64_t rows, float* losses,
                 float* scratch) {
    float* z = scratch + head.vocabulary;
    each_block(head, rows, [&](std::int64_t begin, std::int64_t count) {
        multiply(head, x + begin * head.d, count, z);
        block_losses(z, scratch, targets + begin, count, head.vocabulary, static_cast<float>(head.cap), 0,
                     losses + begin);
    });
}

void head_losses_and_gradients(const Head& head, const float* x, const std::int64_t* targets, std::int64_t rows,
                               float weight, float* losses, float* dx, float* dw, float* scratch) {
    float* z = scratch + head.vocabulary;
    each_block(head, rows, [&](std::int64_t begin, std::int64_t count) {
        const Matrix<const float> block_x{x + begin * head.d, head.d}, dz{z, head.vocabulary};
        multiply(head, block_x.data, count, z);
        block_losses(z, scratch, targets + begin, count, head.vocabulary, static_cast<float>(head.cap), weight,
                     losses + begin);
        gemm(Transpose::no, Transpose::no, count, head.d, head.vocabulary, 1, dz, {head.w, head.d}, 0,
             {dx + begin * head.d, head.d});
        gemm(Transpose::yes, Transpose::no, head.vocabulary, head.d, count, 1, dz, block_x, 1, {dw, head.d});
    });
}

}  // namespace cultivar
