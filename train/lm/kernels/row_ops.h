// Passes over rows of width d, fused so that each value is touched once. All arrays are fp32 and contiguous, [rows, d],
// or [d] for the vectors; outputs may not overlap inputs unless said. One thread; the caller divides work into lanes.
// `d_*` arrays marked "+=" are added to, the others are overwritten.
#pragma once

#include <cstdint>

namespace cultivar {

inline constexpr float kNormEpsilon = 1.1920929e-07F;  // of fp32, torch's default for rms_norm

// h = x / rms, rms = sqrt(mean(x^2) + kNormEpsilon); inverse_rms [rows] is kept for the backward pass. h may be x.
void norm_rows(const float* x, std::int64_t rows, std::int64_t d, float* h, float* inverse_rms);
// dx = gradient of x, from the gradient dh of h. dx may be dh.
void norm_rows_backward(const float* x, const float* inverse_rms, const float* dh, std::int64_t rows, std::int64_t d,
                        float* dx);

// out = x + scale * y, and h = norm(out) if h is given.
void add_rows(const float* x, const float* scale, const float* y, std::int64_t rows, std::int64_t d, float* out,
              float* h, float* inverse_rms);
// Without h: dy and d_scale [d] += from the gradient of out, which is also that of x.
void scale_rows_backward(const float* scale, const float* y, const float* d_out, std::int64_t rows, std::int64_t d,
                         float* dy, float* d_scale);
// With h: dx, dy and d_scale [d] += from the gradients of out and h.
void add_norm_rows_backward(const float* scale, const float* y, const float* out, const float* inverse_rms,
                            const float* d_out, const float* dh, std::int64_t rows, std::int64_t d, float* dx,
                            float* dy, float* d_scale);

// out = a * x + b * x0, and h = norm(out).
void mix_rows(const float* x, const float* a, const float* x0, const float* b, std::int64_t rows, std::int64_t d,
              float* out, float* h, float* inverse_rms);
// From the gradients of out and h: dx, dx0, d_a [d] +=, d_b [d] +=.
void mix_rows_backward(const float* x, const float* a, const float* x0, const float* b, const float* out,
                       const float* inverse_rms, const float* d_out, const float* dh, std::int64_t rows, std::int64_t d,
                       float* dx, float* dx0, float* d_a, float* d_b);

}  // namespace cultivar
