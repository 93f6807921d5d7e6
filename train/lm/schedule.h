// How rates and momentum move during a run. Pure functions of the step and the run's own clock, so that whoever knows
// the clock of a run can compute them again. Parameter Golf, train_gpt.py: lr_mul and the Muon momentum warm-up.
#pragma once

#include <cstdint>

namespace cultivar {

// The factor of all learning rates at `step` (from 0), `elapsed_s` into a budget of `budget_s`: 1 until the time left
// is what `warmdown_steps` steps take at the pace so far, then falling linearly to 0 at the end of the budget. At step
// 0 no pace is known and the factor is 1 (0 for an exhausted budget). warmdown_steps = 0: always 1.
double lr_multiplier(std::int64_t step, double elapsed_s, double budget_s, std::int64_t warmdown_steps);

// Rises linearly from `start` at step 0 to `target` at step `warmup_steps` and stays there.
double muon_momentum_at(std::int64_t step, double start, double target, std::int64_t warmup_steps);

}  // namespace cultivar
