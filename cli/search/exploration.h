// A whole exploration: it meets the others, prepares the machine, and runs one loop, or several side by side in one clone,
// each with its own session, worker and share of the processors, as people with a clone each would.
#pragma once

#include <vector>

#include "cli/search/explorer.h"

namespace cultivar {

// The tools of one loop; its session's settings hold its share: threads, device, and the number of jobs.
struct Job {
    Session& session;
    Worker& worker;
};

// All of them must outlive it. `session` and `worker` serve the meetings and the preparations, and the loop where there are
// no `jobs`; with jobs, no loop begins a run once another one has failed. Errors: those of Explorer::loop(), of meetings
// and of machine_category(); usage (a device that is not there).
Result<void> explore(SearchObserver& observer, Worker& worker, const Clock& clock, Session& session,
                     ExploreOptions options, const std::vector<Job>& jobs = {});

}  // namespace cultivar
