#include "train/lm/config/schedule.h"

#include <algorithm>

namespace cultivar {
namespace {

double warmdown_s(std::int64_t step, double elapsed_s, double budget_s, const ScheduleConfig& schedule) {
    if (schedule.warmdown_by_share) return schedule.warmdown_share * budget_s;
    return static_cast<double>(schedule.warmdown_steps) * elapsed_s /
           static_cast<double>(std::max<std::int64_t>(step, 1));
}

double falling(std::int64_t step, double elapsed_s, double budget_s, const ScheduleConfig& schedule) {
    if (!schedule.warmdown_by_share && schedule.warmdown_steps <= 0) return 1;
    const double length_s = warmdown_s(step, elapsed_s, budget_s, schedule);
    const double remaining_s = std::max(budget_s - elapsed_s, 0.0);
    return remaining_s <= length_s ? remaining_s / std::max(length_s, 1e-12) : 1;
}

}  // namespace

double lr_multiplier(std::int64_t step, double elapsed_s, double budget_s, const ScheduleConfig& schedule) {
    const double fall = falling(step, elapsed_s, budget_s, schedule);
    const double factor = schedule.min_rate + (1 - schedule.min_rate) * fall;
    if (step + 1 >= schedule.warmup_steps) return factor;
    return factor * static_cast<double>(step + 1) / static_cast<double>(schedule.warmup_steps);
}

double muon_momentum_at(std::int64_t step, double start, double target, std::int64_t warmup_steps) {
    if (warmup_steps <= 0) return target;
    const double fraction = std::min(static_cast<double>(step) / static_cast<double>(warmup_steps), 1.0);
    return (1 - fraction) * start + fraction * target;
}

}  // namespace cultivar
