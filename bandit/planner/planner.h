// The planner chooses the next run and gives the reason. Deterministic: the same history, space and seed give the same
// plan.
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
    std::vector<std::string> parents;  // candidate ids: the parents of its commit; of a replicate, its known parents
    std::string operator_name;  // "seed", "replicate", "tune", "switch", "cross", "import", or the external proposer's
    int replicate = 0;          // trials of this candidate already known, in all categories
    std::string choice;         // one line: operator with its probability, parent with its draw, change made
    std::string external_refused;    // why the external proposer's answer was not used; or ""
    std::optional<Explanation> why;  // set if PlannerInput::explain is
};

// Plans one run. Tries in this order:
// 0. a candidate that its user wants to be tried again; on request, the best candidate as a test of the machine;
// 1. a seed that never ran here (or failed once) and that nobody scored in this category;
// 2. the best candidate again, if nothing was replicated yet: until then the noise is unknown;
// 3. the best candidate again, while it is undecided;
// 4. now and then the best candidate again, if runs are noisy enough to matter;
// 5. an operator drawn by the operator bandit; the external proposer is one of them;
// 6. if no operator finds anything new, a known parent again;
// 7. a seed whose runs failed, however often: its program may have been repaired;
// 8. all of these once more among the candidates that others lease: anybody may lease anything, so a lease delays a
//    run and never prevents it.
// Where the task declares its runs free of noise, only 0 replicates. Except for replicates, and for a second try after a
// single failure, it never proposes a candidate that has run, is in flight (save for 8), violates the space or is not feasible.
// Errors: unfit (nothing left to try: no seed fits and no candidate has a score, or nothing new is left), usage.
Result<Plan> plan_next(const PlannerInput& input);

// Returns this clone's best candidate in the category: the lowest shrunken mean (bandit/policy/parent_selection.h).
// Null if none has a score. Costs as much as a plan.
const KnownCandidate* incumbent(const PlannerInput& input);

}  // namespace cultivar
