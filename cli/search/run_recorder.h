// Recording a run that ended: it is judged, its weights are stored, its record is appended. Explore and tell share it.
#pragma once

#include "cli/runs/planned_run.h"
#include "cli/runs/run_result.h"
#include "cli/search/next_run.h"

namespace cultivar {

// Decides by the noise whether the run is kept, appends its record and, if it is kept, gives it its branch. `now`: the
// history that the run was planned from, which is read again only if the index has changed since; none: it is read
// here. Afterwards it has the run too, or is none if it must be read again. Errors: io, git.
Result<ExploredRun> record_run(Session& session, const Clock& clock, RunResult result,
                               std::optional<PlanningHistory>& now);
Result<ExploredRun> record_run(Session& session, const Clock& clock, RunResult result);

// The record as JSON, with its id.
Json run_json(const ExploredRun& explored);

}  // namespace cultivar
