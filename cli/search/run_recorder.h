// Recording: a run that ended is judged, its weights kept, and written down; the same for what explore trained and what
// somebody told.
#pragma once

#include "cli/runs/planned_run.h"

namespace cultivar {

struct RunResult {
    bool stopped = false;                // by should_stop: a checkpoint was written, nothing is recorded
    Run run;                             // decision and decision's reason are still open
    std::optional<std::string> weights;  // the artifact's bytes, of a scored run
};

// What became of one run, for the command to tell.
struct ExploredRun {
    std::string id;  // the record's
    Run run;
};

// Decides by the noise whether the run is kept, appends its record and, if it is kept, gives it its branch. Errors: io,
// git.
Result<ExploredRun> record_run(Session& session, RunResult result);

// The record with its id, as commands print it.
Json run_json(const ExploredRun& explored);

}  // namespace cultivar
