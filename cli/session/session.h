// An opened clone with its index and settings, which nearly every command needs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/app/settings.h"
#include "pool/index/index.h"
#include "pool/util/short_id.h"

namespace cultivar {

struct Session {
    std::unique_ptr<Clone> clone;  // stays where it is: the index points to it
    Settings settings;
    std::unique_ptr<Index> index;
};

// The clone that `folder` is in, its settings and its index, which reads what is new. `interrupted` is kept and asked
// whenever the index reads more. Errors: not_found (no clone), usage (settings), io, git, corrupt, interrupted.
Result<Session> open_session(const std::string& folder, std::function<bool()> interrupted);

struct Seed {
    std::string name;  // "small"
    Candidate candidate;
};
// seeds/*.toml on main, by name. Errors: usage (file:line:col).
Result<std::vector<Seed>> read_seeds(const Clone& clone);

// What a candidate changes against its first parent (or the defaults), for a table's last column.
std::string change_against(Session& session, const CandidateRow& row, const std::string& parent);

}  // namespace cultivar
