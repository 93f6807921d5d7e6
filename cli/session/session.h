// An opened clone with its index and settings, which nearly every command needs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/app/settings.h"
#include "pool/clone/seeds.h"
#include "pool/index/index.h"
#include "pool/util/short_id.h"

namespace cultivar {

struct Session {
    std::unique_ptr<Clone> clone;  // stays where it is: the index points to it
    Settings settings;
    std::unique_ptr<Index> index;
};

// Opens the clone that `folder` is in, with its settings, and brings its index up to date. `interrupted` is kept and
// asked whenever the index reads more. Errors: not_found (no clone), usage (settings), io, git, corrupt, interrupted.
Result<Session> open_session(const std::string& folder, std::function<bool()> interrupted);
Result<Session> open_session(Clone clone, std::function<bool()> interrupted);

// The first run of a candidate that gave it a score and counts, by anyone.
Result<std::optional<RunRow>> first_result(Session& session, const std::string& candidate);

// The run that settled a candidate's score, where the task says that its runs score alike: this clone's own, or one of a claim
// that a verifier accepted. None elsewhere; what nobody verified settles nothing.
Result<std::optional<RunRow>> settled_by(Session& session, const std::string& candidate);

// Deletes the local index of the clone that `folder` is in; the next command makes it anew. Errors: not_found, io.
Result<void> remove_index(const std::string& folder);

// The genes in which a candidate differs from `parent` (an id; "" = the defaults), as one line; "" if either cannot be
// read.
std::string change_against(Session& session, const CandidateRow& row, const std::string& parent);

}  // namespace cultivar
