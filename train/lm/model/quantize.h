// From weights to the artifact and back: Parameter Golf's rule for each tensor, at the precision of its part of the
// model.
//
//   control tensors                             F32
//   at most 65,536 elements, or 16 bits         F16
//   else, NAME of n bits (row_scale.h)          NAME: I8, a level a byte; NAME.scale: F16, one a row
//
// The score is that of the dequantised weights.
#pragma once

#include <span>
#include <vector>

#include "eval/formats/artifact.h"
#include "train/lm/config/tensor_layout.h"

namespace cultivar {

inline constexpr std::int64_t kKeepFloatElements = 65536;

// `values` as the layout has them. Errors: corrupt (a weight that is not finite, or too large for fp16).
Result<Artifact> quantize(const Layout& layout, const ArtifactConfig& config, std::span<const float> values);

// Foreign tensors are hostile: names, shapes, types and sizes must be exactly what layout and config ask for, levels
// within those of the bits, scales no less than the least that quantize() gives (so never negative, zero or NaN), and
// every value finite. Errors: corrupt.
Result<std::vector<float>> dequantize(const Layout& layout, const ArtifactConfig& config, const Artifact& artifact);

// Bytes of the artifact's uncompressed content at most, header included; what unpack_artifact() may be asked to hold.
std::int64_t artifact_content_limit_bytes(const Layout& layout, const ArtifactConfig& config);

// What dequantize() would give for quantize() of these weights, bit for bit, without an artifact: the weights that
// training with quantisation runs on. `out` may be `values` itself. No allocation but one row a thread, once. Weights
// that quantize() refuses give values that mean nothing. Cost: 2 to 5 ns a weight.
void fake_quantize(const Layout& layout, const ArtifactConfig& config, std::span<const float> values,
                   std::span<float> out);
// The same for one tensor, `values` and `out` being its own: tensors may be shared out among threads.
void fake_quantize(const TensorPlace& place, const ArtifactConfig& config, std::span<const float> values,
                   std::span<float> out);

}  // namespace cultivar
