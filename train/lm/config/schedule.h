// Learning rates and momentum over a run. Pure functions of the step and the run's own clock, so that anyone with a
// run's recorded clock can compute them again. Parameter Golf, train_gpt.py: lr_mul and the Muon momentum warm-up.
#pragma once

#include <cstdint>

#include "train/lm/config/lm_config.h"

namespace cultivar {

// Returns the factor of all learning rates at `step` (from 0), `elapsed_s` into a budget of `budget_s`.
//
// The factor is 1 until the time left equals the warmdown, then falls linearly to `min_rate` at the end of the budget.
// The warmdown is a share of the budget, or the time of `warmdown_steps` steps at the mean speed so far (at step 0 no
// speed is known and the factor is 1, or min_rate for an exhausted budget; with no warmdown steps it is always 1).
// While (step + 1) / warmup_steps is less than 1, the factor is multiplied by it.
double lr_multiplier(std::int64_t step, double elapsed_s, double budget_s, const ScheduleConfig& schedule);

// Returns the momentum, which rises linearly from `start` at step 0 to `target` at step `warmup_steps` and stays there.
double muon_momentum_at(std::int64_t step, double start, double target, std::int64_t warmup_steps);

}  // namespace cultivar
