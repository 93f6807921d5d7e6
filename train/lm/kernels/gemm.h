// Matrix products by the BLAS that the worker loads. Within a lane (a parallel region of OpenMP) it uses one thread.
#pragma once

#include <cstdint>

namespace cultivar {

enum class Transpose { no, yes };

// A row-major matrix in memory: its first element and the distance between rows.
template <typename T>
struct Matrix {
    T* data;
    std::int64_t stride;
};

// c [m, n] = alpha * op(a) op(b) + beta * c, with op(a) [m, k] and op(b) [k, n].
void gemm(Transpose a_turned, Transpose b_turned, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
          Matrix<const float> a, Matrix<const float> b, float beta, Matrix<float> c);

// c [n, n] = alpha * x x^T + beta * c, with x [n, k]; if transposed, x^T x with x [k, n]. Both halves are filled. Costs
// half of gemm().
void gram(Transpose turned, std::int64_t n, std::int64_t k, float alpha, Matrix<const float> x, float beta,
          Matrix<float> c);

}  // namespace cultivar
