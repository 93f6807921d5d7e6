// A run's specification as far as the clone and this machine decide it.
#pragma once

#include "cli/runs/planned_run.h"
#include "train/protocol/protocol.h"

namespace cultivar {

// Data that training needs: checked to be here (sizes, not digests); null for a pool of kind "command", which needs none.
// Errors: not_found with the import as a hint.
Result<const Data*> need_data(const Clone& clone);

// A specification with everything but genes, seed and mode's own fields: data (none for a command), threads, caps.
Result<Specification> base_specification(const Session& session);

// A specification for training it in `folder` (absolute, with a trailing '/'). Errors: not_found (data), usage.
Result<Specification> specification_of(const Session& session, const PlannedRun& planned, const std::string& folder);

}  // namespace cultivar
