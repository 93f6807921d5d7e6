// Chooses the candidate to import: one that was kept elsewhere and has not run here yet.
#pragma once

#include <string_view>
#include <unordered_set>
#include <vector>

#include "bandit/history/candidate_stats.h"
#include "bandit/model/surrogate.h"

namespace cultivar {

// Returns the mean score of the trials with this status; infinity if there are none.
double mean_score(const std::vector<const Trial*>& trials, RunStatus status);

using Ids = std::unordered_set<std::string_view>;

// Returns the ancestors of all of these; null pointers are skipped.
Ids ancestors(const CandidateTable& candidates, std::vector<const CandidateStats*> open);

// Returns the candidates to import in this order, without ancestors of possible parents: scored here by others and
// better than the incumbent (its mean score); then not scored here, newest tips of the family tree first; then the rest.
std::vector<const CandidateStats*> ranked_imports(const CandidateTable& candidates, double incumbent);

// Returns the import with the highest acquisition; without a model the first one. `imports` is not empty. Considers only
// the first imports of each writer, so that a thousand claims of one do not crowd out the rest.
const CandidateStats& most_promising(const std::vector<const CandidateStats*>& imports, const Surrogate* model);

}  // namespace cultivar
