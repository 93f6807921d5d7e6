// The models for which lm_bench measures the training speed.
#pragma once

#include <string>
#include <vector>

#include "train/lm/config/lm_config.h"

namespace cultivar {

//   a         8 layers of width 256, sequence 512, 8,192 tokens per step
//   b         the winner of Parameter Golf's pull request 597: 8 layers of 4 mirrored blocks, width 512, 8,192 tokens
//   c         4 layers of width 128, sequence 256, 4,096 tokens per step
//   baseline  Parameter Golf's baseline as published, for GPUs: one step takes two cores half an hour
const std::vector<std::string>& size_names();

// Returns the configuration of a size. All other genes have their defaults; the vocabulary is 1,024. Errors: not_found
// (no such size).
Result<LmConfig> size_config(const std::string& name);

}  // namespace cultivar
