// The planner: which run comes next, and why. Deterministic: the same history, space and seed give the same plan.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bandit/planner/explanation.h"
#include "bandit/proposals/plan_input.h"

namespace cultivar {

struct Plan {
    Candidate child;
    std::vector<std::string> parents;  // candidate ids: what its commit's parents will be; replicate: its known parents
    std::string operator_name;  // "seed", "replicate", "tune", "switch", "cross", "import", or the external proposer's
    int replicate = 0;          // number of trials of this candidate already known in any category
    std::string choice;         // one line: operator with its odds, parent with its draw, change made
    std::string external_refused;    // why the external proposer, which was asked, is not where this comes from; or ""
    std::optional<Explanation> why;  // if it was asked for
};

// In this order: a seed that never ran here and that nobody scored in this category; the best candidate again while it is undecided; later
// now and then, if runs are noisy enough to matter; otherwise an operator drawn by the operator bandit, the external
// proposer among them; where no operator finds anything new, a known parent again, and a seed whose run failed. Never
// proposes a candidate that was run (other than to replicate), is in flight, violates the space or is not feasible.
// Errors: unfit (nothing left to try: no seed fits and no candidate has a score), usage.
Result<Plan> plan_next(const PlannerInput& input);

// The candidate that this clone holds to be the best in the category: the lowest shrunken mean (bandit/parents). Null
// where none has a score. Takes as long as a plan.
const KnownCandidate* incumbent(const PlannerInput& input);

}  // namespace cultivar
