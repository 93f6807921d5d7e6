// Elementary functions in fp32 for vectorised loops. Relative errors are below 3e-7 unless said; NaN gives NaN.
// Cephes-like reduction by ln 2 in two parts (Cody, Waite 1980) and Taylor's series on |r| <= ln 2 / 2.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "train/lm/kernels/target_clones.h"

namespace cultivar {

struct ExpParts {
    float power;    // 2^n
    float minus_1;  // e^r - 1; e^x = power * (1 + minus_1)
};

CULTIVAR_INLINE ExpParts exp_parts(float x) {
    const float bounded = x < -87.0F ? -87.0F : (x > 88.0F ? 88.0F : x);
    const float turns = bounded * 1.44269504F;
    const auto n = static_cast<std::int32_t>(turns + (turns < 0 ? -0.5F : 0.5F));
    const auto whole = static_cast<float>(n);
    const float r = (bounded - whole * 0.693359375F) - whole * -2.12194440e-4F;
    float p = 1.0F / 5040;
    p = p * r + 1.0F / 720;
    p = p * r + 1.0F / 120;
    p = p * r + 1.0F / 24;
    p = p * r + 1.0F / 6;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    return {std::bit_cast<float>((n + 127) << 23), p * r};
}

CULTIVAR_INLINE float fast_exp(float x) {
    const ExpParts parts = exp_parts(x);
    return parts.power + parts.power * parts.minus_1;
}

CULTIVAR_INLINE float fast_tanh(float x) {
    const float bounded = x < -20.0F ? -20.0F : (x > 20.0F ? 20.0F : x);
    const ExpParts parts = exp_parts(2 * bounded);
    const float minus_1 = parts.power * parts.minus_1 + (parts.power - 1);  // e^2x - 1 without cancellation
    return minus_1 / (minus_1 + 2);
}

CULTIVAR_INLINE float fast_sigmoid(float x) { return 1 / (1 + fast_exp(-x)); }

// The normal distribution function, absolute error below 2e-7: Abramowitz, Stegun 7.1.26. `density` is set to
// e^(-x^2/2) / sqrt(2 pi).
CULTIVAR_INLINE float normal_cdf(float x, float& density) {
    const float size = x < 0 ? -x : x;
    const float e = fast_exp(-0.5F * x * x);
    const float t = 1 / (1 + 0.3275911F * 0.70710678F * size);
    float p = 1.061405429F;
    p = p * t - 1.453152027F;
    p = p * t + 1.421413741F;
    p = p * t - 0.284496736F;
    p = p * t + 0.254829592F;
    const float tail = 0.5F * p * t * e;
    density = 0.39894228F * e;
    return x < 0 ? tail : 1 - tail;
}

}  // namespace cultivar
