#include "train/lm/kernels/activation.h"

#include "train/lm/kernels/vector_math.h"

namespace cultivar {

CULTIVAR_CLONES
void relu2(const float* a, std::int64_t count, float* out) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
        const float positive = a[i] < 0 ? 0 : a[i];  // NaN stays NaN
        out[i] = positive * positive;
    }
}

CULTIVAR_CLONES
void relu2_backward(const float* a, const float* da, std::int64_t count, float* out) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) out[i] = 2 * (a[i] < 0 ? 0 : a[i]) * da[i];
}

CULTIVAR_CLONES
void gelu(const float* a, std::int64_t count, float* out) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
        float density;
        out[i] = a[i] * normal_cdf(a[i], density);
    }
}

CULTIVAR_CLONES
void gelu_backward(const float* a, const float* da, std::int64_t count, float* out) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
        float density;
        const float integral = normal_cdf(a[i], density);
        out[i] = da[i] * (integral + a[i] * density);
    }
}

CULTIVAR_CLONES
void swiglu(const float* a, std::int64_t rows, std::int64_t hidden, float* out) {
    for (std::int64_t n = 0; n < rows; ++n, a += 2 * hidden, out += hidden) {
        const float* gate = a + hidden;
#pragma omp simd
        for (std::int64_t i = 0; i < hidden; ++i) out[i] = gate[i] * fast_sigmoid(gate[i]) * a[i];
    }
}

CULTIVAR_CLONES
void swiglu_backward(const float* a, const float* da, std::int64_t rows, std::int64_t hidden, float* out) {
    for (std::int64_t n = 0; n < rows; ++n, a += 2 * hidden, da += hidden, out += 2 * hidden) {
        const float* gate = a + hidden;
        float* d_gate = out + hidden;
#pragma omp simd
        for (std::int64_t i = 0; i < hidden; ++i) {
            const float s = fast_sigmoid(gate[i]), up = a[i], g = da[i];
            out[i] = g * gate[i] * s;
            d_gate[i] = g * up * s * (1 + gate[i] * (1 - s));
        }
    }
}

}  // namespace cultivar
