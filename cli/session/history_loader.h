// Reading the index as the planner's history of one category.
#pragma once

#include <string>
#include <vector>

#include "bandit/history/history.h"
#include "cli/session/session.h"

namespace cultivar {

inline constexpr std::int64_t kMostCandidates = 10'000;  // that a plan is made from, where the pool has more

// A run as the planner sees it. `trusted`: this clone made it, or a verdict accepted it.
Trial trial_of(const Run& run, bool trusted);

// The leases of a category, at most the first 100 of each writer, since one machine cannot hold more, and 400 in all, for
// which the writers take turns.
std::vector<Lease> plausible_leases(std::vector<Lease> leases, const std::string& category);

// The history without refused records and rejected runs. `before`: leaves out runs of other categories that became
// known after that record. Takes six queries over all that the pool holds; a larger pool than 10,000 candidates is
// thinned out. Errors: io, corrupt.
Result<History> read_history(Session& session, const std::vector<Seed>& seeds, const std::string& category,
                             const std::string& before = "");

}  // namespace cultivar
