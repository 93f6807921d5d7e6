#include "train/lm/kernels/row_ops.h"

#include <cmath>

#include "train/lm/kernels/target_clones.h"

namespace cultivar {
namespace {

CULTIVAR_INLINE float inverse_rms_of(const float* x, std::int64_t d) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < d; ++i) sum += x[i] * x[i];
    return 1 / std::sqrt(sum / static_cast<float>(d) + kNormEpsilon);
}

CULTIVAR_INLINE float dot(const float* x, const float* y, std::int64_t d) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < d; ++i) sum += x[i] * y[i];
    return sum;
}

// Returns the coefficient c of x in a row's dx = r * dh - c * x, with c = r^3 * mean(dh * x).
CULTIVAR_INLINE float pull(const float* x, const float* dh, float r, std::int64_t d) {
    return r * r * r * dot(dh, x, d) / static_cast<float>(d);
}

}  // namespace

CULTIVAR_CLONES
void norm_rows(const float* x, std::int64_t rows, std::int64_t d, float* h, float* inverse_rms) {
    for (std::int64_t n = 0; n < rows; ++n, x += d, h += d) {
        const float r = inverse_rms[n] = inverse_rms_of(x, d);
        for (std::int64_t i = 0; i < d; ++i) h[i] = x[i] * r;
    }
}

CULTIVAR_CLONES
void norm_rows_backward(const float* x, const float* inverse_rms, const float* dh, std::int64_t rows, std::int64_t d,
                        float* dx) {
    for (std::int64_t n = 0; n < rows; ++n, x += d, dh += d, dx += d) {
        const float r = inverse_rms[n], c = pull(x, dh, r, d);
        for (std::int64_t i = 0; i < d; ++i) dx[i] = r * dh[i] - c * x[i];
    }
}

CULTIVAR_CLONES
void add_rows(const float* x, const float* scale, const float* y, std::int64_t rows, std::int64_t d, float* out,
              float* h, float* inverse_rms) {
    for (std::int64_t n = 0; n < rows; ++n, x += d, y += d, out += d) {
        for (std::int64_t i = 0; i < d; ++i) out[i] = x[i] + scale[i] * y[i];
        if (!h) continue;
        const float r = inverse_rms[n] = inverse_rms_of(out, d);
        for (std::int64_t i = 0; i < d; ++i) h[i] = out[i] * r;
        h += d;
    }
}

CULTIVAR_CLONES
void scale_rows_backward(const float* scale, const float* y, const float* d_out, std::int64_t rows, std::int64_t d,
                         float* dy, float* d_scale) {
    for (std::int64_t n = 0; n < rows; ++n, y += d, d_out += d, dy += d) {
#pragma omp simd
        for (std::int64_t i = 0; i < d; ++i) {
            dy[i] = d_out[i] * scale[i];
            d_scale[i] += d_out[i] * y[i];
        }
    }
}

CULTIVAR_CLONES
void add_norm_rows_backward(const float* scale, const float* y, const float* out, const float* inverse_rms,
                            const float* d_out, const float* dh, std::int64_t rows, std::int64_t d, float* dx,
                            float* dy, float* d_scale) {
    for (std::int64_t n = 0; n < rows; ++n, y += d, out += d, d_out += d, dh += d, dx += d, dy += d) {
        const float r = inverse_rms[n], c = pull(out, dh, r, d);
#pragma omp simd
        for (std::int64_t i = 0; i < d; ++i) {
            const float g = d_out[i] + r * dh[i] - c * out[i];
            dx[i] = g;
            dy[i] = g * scale[i];
            d_scale[i] += g * y[i];
        }
    }
}

CULTIVAR_CLONES
void mix_rows(const float* x, const float* a, const float* x0, const float* b, std::int64_t rows, std::int64_t d,
              float* out, float* h, float* inverse_rms) {
    for (std::int64_t n = 0; n < rows; ++n, x += d, x0 += d, out += d, h += d) {
        for (std::int64_t i = 0; i < d; ++i) out[i] = a[i] * x[i] + b[i] * x0[i];
        const float r = inverse_rms[n] = inverse_rms_of(out, d);
        for (std::int64_t i = 0; i < d; ++i) h[i] = out[i] * r;
    }
}

CULTIVAR_CLONES
void mix_rows_backward(const float* x, const float* a, const float* x0, const float* b, const float* out,
                       const float* inverse_rms, const float* d_out, const float* dh, std::int64_t rows, std::int64_t d,
                       float* dx, float* dx0, float* d_a, float* d_b) {
    for (std::int64_t n = 0; n < rows; ++n, x += d, x0 += d, out += d, d_out += d, dh += d, dx += d, dx0 += d) {
        const float r = inverse_rms[n], c = pull(out, dh, r, d);
#pragma omp simd
        for (std::int64_t i = 0; i < d; ++i) {
            const float g = d_out[i] + r * dh[i] - c * out[i];
            dx[i] = g * a[i];
            dx0[i] = g * b[i];
            d_a[i] += g * x[i];
            d_b[i] += g * x0[i];
        }
    }
}

}  // namespace cultivar
