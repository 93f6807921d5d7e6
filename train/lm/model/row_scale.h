// Rounds one row of a matrix to a grid of few levels, for the artifact and for training with quantisation.
//
// Parameter Golf's rule for int8 rows (train_gpt.py), for any number of bits: clip = a quantile of |w| as in
// torch.quantile (linear interpolation), scale = max(clip / levels, least scale), level = round(clamp(w, -clip, clip) /
// scale), ties to even. The scale is stored as fp16, and the weight represented is level * fp16(scale).
#pragma once

#include <span>

#include "train/lm/config/lm_config.h"

namespace cultivar {

struct Grid {
    float levels = 0;  // 2^(bits - 1) - 1 on each side of zero
    float least_scale =
        0;  // 1 / 127 for 8 bits with the floor; else the smallest normal fp16, so that no scale is zero
    float clip_quantile = 0;

    Grid(std::int64_t bits, const ArtifactConfig& config);
};

struct RowScale {
    float clip = 0;
    float scale = 0;
};

// Rounds to half precision, ties to even; beyond its range the result is infinite.
float as_half(float value);

// Keeps one buffer per thread. For a row that is not finite the scale is arbitrary or NaN.
RowScale row_scale(std::span<const float> row, const Grid& grid);

// Gives whole numbers within +-levels, never -0; NaN stays NaN. `out` may be the row itself.
void to_levels(std::span<const float> row, const RowScale& scale, std::span<float> out);

}  // namespace cultivar
