// Planning a run for somebody else.
#pragma once

#include "cli/runs/ask_store.h"
#include "cli/search/next_run.h"

namespace cultivar {

// Plans the next run, saves it as an ask and leases it, so that nothing else here tries the same; whoever reads the
// answer can rely on it. Errors: unfit (nothing to try), busy, interrupted, io, git.
Result<LeasedRun> ask_run(Session& session, const Observer& observer, const Clock& clock, const PlanOptions& options);

}  // namespace cultivar
