// Adds a run that this process just recorded to the history that it was planned from, so that a large pool is not read
// again for every run.
#pragma once

#include "cli/search/next_run.h"
#include "pool/index/rows.h"

namespace cultivar {

// `run` was judged by `now`, and is recorded and imported with this report. True: `now` is what planning_history() would
// read. False: it may differ, because something else came, or because the run changes more than its own candidate.
bool add_recorded(PlanningHistory& now, const Run& run, const RefreshReport& imported);
bool brought_nothing(const RefreshReport& report);

}  // namespace cultivar
