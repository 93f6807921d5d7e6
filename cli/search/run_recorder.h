// Recording: a run that ended is judged, its weights kept, and written down; the same for what explore trained and what
// somebody told.
#pragma once

#include "cli/runs/planned_run.h"
#include "cli/runs/run_result.h"

namespace cultivar {

// Decides by the noise whether the run is kept, appends its record and, if it is kept, gives it its branch. Errors: io,
// git.
Result<ExploredRun> record_run(Session& session, RunResult result);

// The record with its id, as commands print it.
Json run_json(const ExploredRun& explored);

}  // namespace cultivar
