#include "train/lm/kernels/gemm.h"

extern "C" {
void sgemm_(const char* a_turned, const char* b_turned, const int* m, const int* n, const int* k, const float* alpha,
            const float* a, const int* a_stride, const float* b, const int* b_stride, const float* beta, float* c,
            const int* c_stride);
void ssyrk_(const char* half, const char* turned, const int* n, const int* k, const float* alpha, const float* a,
            const int* a_stride, const float* beta, float* c, const int* c_stride);
}

namespace cultivar {
namespace {

constexpr std::int64_t kMirrorTile = 32;

// BLAS has Fortran's column order, so it sees every row-major matrix transposed.
char flag(Transpose turned) { return turned == Transpose::yes ? 'T' : 'N'; }

// Copies the half below the diagonal to the half above it, in tiles so that neither side misses the cache.
void mirror(Matrix<float> c, std::int64_t n) {
    for (std::int64_t top = 0; top < n; top += kMirrorTile) {
        for (std::int64_t left = 0; left <= top; left += kMirrorTile) {
            for (std::int64_t row = top; row < n && row < top + kMirrorTile; ++row) {
                for (std::int64_t column = left; column < row && column < left + kMirrorTile; ++column) {
                    c.data[column * c.stride + row] = c.data[row * c.stride + column];
                }
            }
        }
    }
}

}  // namespace

void gemm(Transpose a_turned, Transpose b_turned, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
          Matrix<const float> a, Matrix<const float> b, float beta, Matrix<float> c) {
    const char first = flag(b_turned), second = flag(a_turned);
    const int columns = static_cast<int>(n), rows = static_cast<int>(m), inner = static_cast<int>(k);
    const int a_stride = static_cast<int>(a.stride), b_stride = static_cast<int>(b.stride);
    const int c_stride = static_cast<int>(c.stride);
    sgemm_(&first, &second, &columns, &rows, &inner, &alpha, b.data, &b_stride, a.data, &a_stride, &beta, c.data,
           &c_stride);
}

void gram(Transpose turned, std::int64_t n, std::int64_t k, float alpha, Matrix<const float> x, float beta,
          Matrix<float> c) {
    const char half = 'U', order = turned == Transpose::yes ? 'N' : 'T';  // Fortran's upper half is the lower one here
    const int size = static_cast<int>(n), inner = static_cast<int>(k);
    const int x_stride = static_cast<int>(x.stride), c_stride = static_cast<int>(c.stride);
    ssyrk_(&half, &order, &size, &inner, &alpha, x.data, &x_stride, &beta, c.data, &c_stride);
    mirror(c, n);
}

}  // namespace cultivar
