// One row of a matrix on a grid of few levels: what the artifact stores, and what training with quantisation sees.
//
// Parameter Golf's rule (parameter-golf.md, section 5), for any number of bits: clip = a quantile of |w| as
// torch.quantile has it (linear interpolation), scale = max(clip / levels, least scale), level = round(clamp(w, -clip,
// clip) / scale), ties to even. The scale is kept as fp16, and the weight that it stands for is level * fp16(scale).
#pragma once

#include <span>

#include "train/lm/config/lm_config.h"

namespace cultivar {

struct Grid {
    float levels = 0;       // 2^(bits - 1) - 1 on each side of zero
    float least_scale = 0;  // 1 / 127 for 8 bits with the floor; else the smallest normal fp16, so that none is zero
    float clip_quantile = 0;

    Grid(std::int64_t bits, const ArtifactConfig& config);
};

struct RowScale {
    float clip = 0;
    float scale = 0;
};

// Rounded to half precision, ties to even; beyond its range infinite.
float as_half(float value);

// Memory: one buffer a thread, which stays. A row that is not finite has some scale or none (NaN).
RowScale row_scale(std::span<const float> row, const Grid& grid);

// Whole numbers within +-levels, never -0; a NaN stays one. `out` may be the row itself.
void to_levels(std::span<const float> row, const RowScale& scale, std::span<float> out);

}  // namespace cultivar
