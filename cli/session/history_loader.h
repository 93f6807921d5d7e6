// The pool's state as the bandit wants it: the index read as one category's history.
#pragma once

#include <string>
#include <vector>

#include "bandit/history/history.h"
#include "cli/session/session.h"

namespace cultivar {

// A run as the bandit sees it. `own`: by this clone, or accepted by a verdict.
Trial trial_of(const Run& run, bool own);

// Of those in a category, the first 100 of each writer: more are no word that one machine could keep.
std::vector<Lease> plausible_leases(std::vector<Lease> leases, const std::string& category);

// The index as the planner's history of one category. Refused records and rejected runs are not in it. `before`: of other
// categories, only what was known before that record.
Result<History> read_history(Session& session, const std::vector<Seed>& seeds, const std::string& category,
                             const std::string& before = "");

}  // namespace cultivar
