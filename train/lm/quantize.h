// From weights to the artifact and back: Parameter Golf's int8 with one scale a row.
//
// A tensor of at most 65,536 elements stays float (fp32 for control tensors, else fp16). A larger matrix becomes, row
// by row: clip = the 0.9999984 quantile of |w| (linear interpolation), scale = max(clip / 127, 1 / 127), q =
// round(clamp(w, -clip, clip) / scale), ties to even, within +-127; the scale is stored as fp16 and w' = q * scale. The
// score is that of the dequantised weights.
#pragma once

#include <span>
#include <vector>

#include "eval/artifact.h"
#include "train/lm/layout.h"

namespace cultivar {

inline constexpr std::int64_t kKeepFloatElements = 65536;

// `values` as the layout has them. Errors: corrupt (a weight that is not finite, or too large for fp16).
Result<Artifact> quantize(const Layout& layout, std::span<const float> values);

// Foreign tensors are hostile: names, shapes, types and sizes must be exactly what the layout asks for, and every value
// finite. Errors: corrupt.
Result<std::vector<float>> dequantize(const Layout& layout, const Artifact& artifact);

// Bytes of the artifact's uncompressed content at most, header included; what unpack_artifact() may be asked to hold.
std::int64_t artifact_content_limit_bytes(const Layout& layout);

}  // namespace cultivar
