// A pool's caps on what a model costs to use, as far as they are known before training. No torch.
#pragma once

#include "train/lm/config/lm_config.h"
#include "train/lm/config/worker_error.h"

namespace cultivar {

// Reads nothing and costs microseconds: the first check of a run. Errors: unfit.
Outcome<void> check_caps(const UseCost& caps, const ModelConfig& config);

}  // namespace cultivar
