// A suggestion: what an external proposer, such as an agent, answered. Foreign words about genes; they become a child
// only where the space, the history and the parent's standing allow it, as every other proposal does.
#pragma once

#include "bandit/history/candidate_stats.h"
#include "bandit/proposals/plan_input.h"

namespace cultivar {

// The child that these changes make of the parent. Errors: unfit, with the reason in one line: the parent is unknown or
// was not kept here, a change names no gene, is out of range or not active in the child, the child violates a constraint
// or is known, run or under way already.
Result<Candidate> child_of(const Suggestion& suggestion, const PlannerInput& input,
                           const CandidateStandings& contenders);

// The one candidate whose id begins so (4 digits or more). Null: none, or more than one.
const CandidateStats* named(const CandidateStandings& contenders, std::string_view prefix);

}  // namespace cultivar
