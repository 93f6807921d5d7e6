// Checks a pool's caps on the cost of using a model, as far as it is known before training. No torch.
#pragma once

#include "train/lm/config/lm_config.h"
#include "train/lm/config/worker_error.h"

namespace cultivar {

// Reads no files and takes microseconds; it is the first check of a run. Errors: unfit.
Outcome<void> check_caps(const UseCost& caps, const ModelConfig& config);

}  // namespace cultivar
