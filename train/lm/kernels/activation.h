// Activations of the feed-forward part over `count` values, fp32, one thread. Inputs and outputs may not overlap unless
// said. In the backward functions `a` is the input and da the gradient of the output.
#pragma once

#include <cstdint>

namespace cultivar {

void relu2(const float* a, std::int64_t count, float* out);                            // max(a, 0)^2
void relu2_backward(const float* a, const float* da, std::int64_t count, float* out);  // out may be da
void gelu(const float* a, std::int64_t count, float* out);                             // a * Phi(a), the exact form
void gelu_backward(const float* a, const float* da, std::int64_t count, float* out);   // out may be da

// a [rows, 2 * hidden] holds `up` followed by `gate` in each row; out [rows, hidden] = silu(gate) * up.
void swiglu(const float* a, std::int64_t rows, std::int64_t hidden, float* out);
void swiglu_backward(const float* a, const float* da, std::int64_t rows, std::int64_t hidden, float* out);

}  // namespace cultivar
