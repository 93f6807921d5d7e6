// What nearly every command needs: the clone it stands in, its index, its settings; and the pool's state as the bandit
// wants it.
#pragma once

#include <memory>

#include "bandit/history/history.h"
#include "cli/app/context.h"
#include "cli/app/settings.h"
#include "pool/index/index.h"
#include "pool/util/short_id.h"
#include "train/protocol/protocol.h"

namespace cultivar {

struct Session {
    std::unique_ptr<Clone> clone;  // stays where it is: the index points to it
    Config config;
    std::unique_ptr<Index> index;
};

Result<Session> open_session(const Context& context);

struct Seed {
    std::string name;  // "small"
    Candidate candidate;
};
// seeds/*.toml on main, by name. Errors: usage (file:line:col).
Result<std::vector<Seed>> read_seeds(const Clone& clone);

// A run as the bandit sees it. `own`: by this clone, or accepted by a verdict.
Trial trial_of(const Run& run, bool own);

// Of those in a category, the first 100 of each writer: more are no word that one machine could keep.
std::vector<Lease> plausible_leases(std::vector<Lease> leases, const std::string& category);

// The index as the planner's history of one category. Refused records and rejected runs are not in it. `before`: of other
// categories, only what was known before that record.
Result<History> read_history(Session& session, const std::vector<Seed>& seeds, const std::string& category,
                             const std::string& before = "");

// Data that training needs: checked to be here (sizes, not digests); null for a pool of kind "command", which needs none.
// Errors: not_found with the import as a hint.
Result<const Data*> need_data(const Clone& clone);

// A specification with everything but genes, seed and mode's own fields: data (none for a command), threads, caps.
Result<Specification> base_specification(const Session& session);

// What a candidate changes against its first parent (or the defaults), for a table's last column.
std::string change_against(Session& session, const CandidateRow& row, const std::string& parent);

}  // namespace cultivar
