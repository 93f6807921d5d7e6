// Checks the answer of an external proposer, such as an agent, and makes the child. The answer is untrusted; it becomes
// a child only if the space, the history and the parent allow it, as for every other proposal.
#pragma once

#include "bandit/history/candidate_stats.h"
#include "bandit/proposals/plan_input.h"

namespace cultivar {

// Applies the changes to the parent. Errors: unfit, with the reason in one line: the parent is unknown or was not kept
// here; a change names no gene, is out of range or not active in the child; the child violates a constraint, or is
// known, run or under way already.
Result<Candidate> child_of(const Suggestion& suggestion, const PlannerInput& input, const CandidateTable& candidates);

// Returns the only candidate with this id prefix (4 digits or more); null if there is none or more than one.
const CandidateStats* named(const CandidateTable& candidates, std::string_view prefix);

}  // namespace cultivar
