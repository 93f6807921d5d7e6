// Converts weights to the artifact and back: Parameter Golf's rule for each tensor, at the precision of its part of the
// model.
//
//   control tensors                             F32
//   at most 65,536 elements, or 16 bits         F16
//   else, NAME of n bits (row_scale.h)          NAME: I8, one level per byte; NAME.scale: F16, one per row
//
// The score is that of the dequantised weights.
#pragma once

#include <span>
#include <vector>

#include "eval/formats/artifact.h"
#include "train/lm/config/tensor_layout.h"

namespace cultivar {

inline constexpr std::int64_t kKeepFloatElements = 65536;

// `values` follow the layout. Errors: corrupt (a weight that is not finite, or too large for fp16).
Result<Artifact> quantize(const Layout& layout, const ArtifactConfig& config, std::span<const float> values);

// Foreign tensors are hostile. Names, shapes, types and sizes must be exactly those of layout and config, levels within
// the range of the bits, scales no less than the least that quantize() gives (so never negative, zero or NaN), and
// every value finite. Errors: corrupt.
Result<std::vector<float>> dequantize(const Layout& layout, const ArtifactConfig& config, const Artifact& artifact);

// Upper bound (bytes) of the artifact's uncompressed content, header included; the limit for unpack_artifact().
std::int64_t artifact_content_limit_bytes(const Layout& layout, const ArtifactConfig& config);

// Computes dequantize() of quantize() of these weights, bit for bit, without an artifact; training with quantisation
// runs on these weights. `out` may be `values` itself. Allocates only one row per thread, once. Weights that quantize()
// refuses give meaningless values. Cost: 2 to 5 ns per weight.
void fake_quantize(const Layout& layout, const ArtifactConfig& config, std::span<const float> values,
                   std::span<float> out);
// The same for one tensor with its own `values` and `out`, so that threads can share the tensors.
void fake_quantize(const TensorPlace& place, const ArtifactConfig& config, std::span<const float> values,
                   std::span<float> out);

}  // namespace cultivar
