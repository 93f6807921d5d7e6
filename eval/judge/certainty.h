// How sure an accepted verdict is, by the checks that were made and those that are still due.
//
// And the pace check: did a run take its steps faster than machines of its category can? A run with ten times the compute
// replays as well as an honest one once its times are divided by ten, but its steps are then ten times as short as they
// take here. A verifier of the category knows its own speed F (cli/runs/machine_category.h), and measures in the replay
// how long a step takes here: the claimant's machine has F x (seconds here / seconds claimed), which must not exceed the
// top of the category, half a decade above its floor, by more than kPaceMargin (this machine may be busy). Ten times the
// compute of the slowest machine of a category is 3.2 times its top, so it is always found; less than kPaceMargin is not.
// It proves nothing, so the claim then owes a rerun.
#pragma once

#include <string>

#include "pool/types/audit.h"
#include "pool/types/category.h"

namespace cultivar {

inline constexpr double kPaceMargin = 2;

struct Pace {
    double claimed_step_s = 0;  // the run's training seconds over its steps
    double here_step_s = 0;     // of the replay
    double here_flops_per_s = 0;
};

// "it took its steps ..." with the figures; "": no reason to doubt, or a figure is missing.
std::string too_fast_for(const Category& category, const Pace& pace);

struct ChecksDone {
    Tier reached = Tier::structure;   // the last tier that it passed
    bool replayable_here = true;      // this machine has the kind of device of the claim's category
    bool owes_gap = false;            // its gap to the hold-out could not be judged yet
    bool may_learn_it_again = false;  // its training may read the validation data, and so a rerun's
};

// Of an accepted verdict with this plan. A claim that the lot spared a replay, on a device that a replay was possible on,
// is accepted on the record of its key (eval/judge/audit_policy.h); what nobody could replay is scored.
Certainty settled_certainty(const PlannedAudit& plan, const ChecksDone& done);

}  // namespace cultivar
