// Open asks, i.e. runs that were planned for somebody else and have no result yet. Each has a folder
// <state>/asked/<candidate>/ with ask.json and the files of its run. An ask outlives the process that made it; while
// its lease is held nothing else here tries the candidate. A result may come later too, as long as nobody ran the same
// here in the meantime.
#pragma once

#include <ctime>

#include "cli/runs/planned_run.h"

namespace cultivar {

struct LeasedRun {
    PlannedRun planned;
    std::time_t until = 0;  // end of the lease, seconds since 1970

    bool held(std::time_t now) const { return now < until; }
};

// The end of a lease that begins now: after 1.5 budgets.
std::time_t lease_end(double budget_s, std::time_t now);

std::string asked_dir(const Session& session, const std::string& candidate);  // absolute, with a trailing '/'

// Those of this task, by candidate. Files that cannot be read are skipped. Errors: io.
Result<std::vector<LeasedRun>> open_asks(const Session& session);
Result<void> save_ask(const Session& session, const LeasedRun& ask);
Result<void> remove_ask(const Session& session, const std::string& candidate);

// The ask that an id, or the beginning of one (four digits or more), names. Errors: usage (too short, ambiguous),
// not_found (it has a result, or there never was one), with a hint.
Result<LeasedRun> find_ask(Session& session, const std::string& prefix);

}  // namespace cultivar
