#include "train/lm/schedule.h"

#include <algorithm>

namespace cultivar {

double lr_multiplier(std::int64_t step, double elapsed_s, double budget_s, std::int64_t warmdown_steps) {
    if (warmdown_steps <= 0) return 1;
    const double step_s = elapsed_s / static_cast<double>(std::max<std::int64_t>(step, 1));
    const double warmdown_s = static_cast<double>(warmdown_steps) * step_s;
    const double remaining_s = std::max(budget_s - elapsed_s, 0.0);
    return remaining_s <= warmdown_s ? remaining_s / std::max(warmdown_s, 1e-12) : 1;
}

double muon_momentum_at(std::int64_t step, double start, double target, std::int64_t warmup_steps) {
    if (warmup_steps <= 0) return target;
    const double fraction = std::min(static_cast<double>(step) / static_cast<double>(warmup_steps), 1.0);
    return (1 - fraction) * start + fraction * target;
}

}  // namespace cultivar
