// A candidate's source files in its run: laid over the task's own, in a folder beside them. The task's files stay as they
// are, for whatever judges the run.
#pragma once

#include "cli/session/session.h"
#include "train/protocol/protocol.h"

namespace cultivar {

using SourceBytes = decltype(Specification::source);

// The bytes of a candidate's files. Errors: not_found (nobody gave them), git.
Result<SourceBytes> source_of(const Session& session, const Candidate& candidate);

// Gives the folder of the files that the run reads, with a trailing '/': `folder` itself, where the task's files are,
// or without any file of the candidate; else a copy below it with the candidate's files over the task's. Errors: io.
Result<std::string> lay_over(const PoolCommand& command, const SourceBytes& source, const std::string& folder);

}  // namespace cultivar
