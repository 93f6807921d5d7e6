// How rates and momentum move during a run. Pure functions of the step and the run's own clock, so that whoever knows
// the clock of a run can compute them again. Parameter Golf, train_gpt.py: lr_mul and the Muon momentum warm-up.
#pragma once

#include <cstdint>

#include "train/lm/config/lm_config.h"

namespace cultivar {

// The factor of all learning rates at `step` (from 0), `elapsed_s` into a budget of `budget_s`.
//
// Falling rates: 1 until the time left is the warmdown, then linear to `min_rate` at the end of the budget. The warmdown
// is a share of the budget, or what `warmdown_steps` steps take at the pace so far (at step 0 no pace is known and the
// factor is 1, or min_rate for an exhausted budget; no steps: always 1). Times (step + 1) / warmup_steps, while that is
// less than 1.
double lr_multiplier(std::int64_t step, double elapsed_s, double budget_s, const ScheduleConfig& schedule);

// Rises linearly from `start` at step 0 to `target` at step `warmup_steps` and stays there.
double muon_momentum_at(std::int64_t step, double start, double target, std::int64_t warmup_steps);

}  // namespace cultivar
