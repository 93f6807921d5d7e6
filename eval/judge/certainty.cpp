#include "eval/judge/certainty.h"

#include <cmath>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr double kHalfDecade = 0.5;

}  // namespace

std::string too_fast_for(const Category& category, const Pace& pace) {
    const bool known = category.speed_decade && pace.claimed_step_s > 0 && pace.here_step_s > 0;
    if (!known || !(pace.here_flops_per_s > 0)) return "";
    const double top = std::pow(10, *category.speed_decade + kHalfDecade);
    const double times = pace.here_flops_per_s * (pace.here_step_s / pace.claimed_step_s) / top;
    if (!(times > kPaceMargin)) return "";
    return fmt::format(
        "it took its steps in {:.3g} s each where this machine takes {:.3g} s, {:.1f} times as fast as any machine of "
        "{}",
        pace.claimed_step_s, pace.here_step_s, times, category.name);
}

Certainty settled_certainty(const PlannedAudit& plan, const ChecksDone& done) {
    if (done.reached >= Tier::rerun)
        return done.owes_gap && done.may_learn_it_again ? Certainty::provisional : Certainty::accepted;
    if (done.reached < Tier::replay && !done.replayable_here) return Certainty::scored;
    const bool owes = done.owes_gap || plan.rerun_waits || plan.tier >= Tier::rerun;
    return owes ? Certainty::provisional : Certainty::accepted;
}

}  // namespace cultivar
