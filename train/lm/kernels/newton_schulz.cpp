#include "train/lm/kernels/newton_schulz.h"

#include <algorithm>
#include <utility>

#include "train/lm/kernels/gemm.h"

namespace cultivar {
namespace {

constexpr float kA = 3.4445F, kB = -4.7750F, kC = 2.0315F;

}  // namespace

std::int64_t newton_schulz_scratch_floats(std::int64_t rows, std::int64_t columns) {
    const std::int64_t side = std::min(rows, columns);
    return 2 * side * side + rows * columns;
}

void newton_schulz(float* x, std::int64_t rows, std::int64_t columns, std::int64_t iterations, float* scratch) {
    const bool tall = rows > columns;
    const std::int64_t side = std::min(rows, columns), size = rows * columns;
    float *a = scratch, *b = a + side * side, *now = x, *next = b + side * side;
    for (std::int64_t i = 0; i < iterations; ++i) {
        gram(tall ? Transpose::yes : Transpose::no, side, std::max(rows, columns), 1, {now, columns}, 0, {a, side});
        std::copy_n(a, side * side, b);
        gram(Transpose::no, side, side, kC, {a, side}, kB, {b, side});
        std::copy_n(now, size, next);
        const Matrix<const float> polynomial{b, side}, from{now, columns};
        gemm(Transpose::no, Transpose::no, rows, columns, side, 1, tall ? from : polynomial, tall ? polynomial : from,
             kA, {next, columns});
        std::swap(now, next);
    }
    if (now != x) std::copy_n(now, size, x);
}

}  // namespace cultivar
