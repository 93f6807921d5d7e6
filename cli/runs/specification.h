// A run's specification: the part that the clone and this machine decide, and all of it for a planned run.
#pragma once

#include "cli/runs/planned_run.h"
#include "train/protocol/protocol.h"

namespace cultivar {

// The pool's data, once all of its files are here (digests are not checked); null for a pool of kind "command", which has
// files as they are (cli/runs/data_links.h). Errors: not_found, with the import as a hint.
Result<const Data*> need_data(const Clone& clone);

// A specification without genes, seed and the mode's own fields: data, threads, device, caps. The data of a command have
// their digests. Errors: not_found (data), corrupt (data of a command), io, usage (settings).
Result<Specification> base_specification(const Session& session);

// A specification for training it in `folder` (absolute, with a trailing '/'). Errors: not_found (data), usage.
Result<Specification> specification_of(const Session& session, const PlannedRun& planned, const std::string& folder);

}  // namespace cultivar
