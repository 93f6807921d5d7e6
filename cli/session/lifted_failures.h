// Failures that are held against nobody here any more: the user's `cultivar retry` lifted them, another worker has
// replaced the one that failed, or they were the machine's. <state>/lifted has the record ids that were lifted by hand,
// one per line.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/session/session.h"

namespace cultivar {

// SHA-256 of this clone's worker; "" for a command, whose change makes another task, and if it cannot be read.
std::string worker_digest(const Session& session);

class LiftedFailures {
public:
    // A file that cannot be read lifts nothing.
    static LiftedFailures read(const Session& session);

    // Is this own run, which failed, left out of the search's history?
    bool lifted(const Session& session, const RunRow& row);
    bool by_hand(const std::string& record) const { return records_.contains(record); }

private:
    std::set<std::string> records_;
    std::string worker_;
    bool worker_known_ = false;
};

// Lifts these records (ids). Errors: io.
Result<void> lift_failures(const Session& session, const std::vector<std::string>& records);

}  // namespace cultivar
