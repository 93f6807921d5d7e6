// What was asked for here and not yet told: <state>/asked/<candidate>/, one folder for each, with ask.json and what its
// run may leave. An ask outlives the process that made it; while its lease is held nothing else here tries the candidate.
// A result may be told later too, as long as nobody ran the same here in the meantime.
#pragma once

#include <ctime>

#include "cli/runs/planned_run.h"

namespace cultivar {

struct LeasedRun {
    PlannedRun planned;
    std::time_t until = 0;  // the lease is held

    bool held(std::time_t now) const { return now < until; }
};

// Of a lease that begins now.
std::time_t lease_end(double budget_s, std::time_t now);

std::string asked_dir(const Session& session, const std::string& candidate);  // absolute, with a trailing '/'

// Those of this task, by candidate. What cannot be read is no ask. Errors: io.
Result<std::vector<LeasedRun>> open_asks(const Session& session);
Result<void> save_ask(const Session& session, const LeasedRun& ask);
Result<void> remove_ask(const Session& session, const std::string& candidate);

// The ask that an id, or the beginning of one, names. Errors: usage (too short, ambiguous), not_found: told already, or
// never asked for; the hint says what to do.
Result<LeasedRun> find_ask(Session& session, const std::string& prefix);

}  // namespace cultivar
