// Failures that are held against nobody here any more: the user's `cultivar retry` lifted them, another worker or command
// has replaced the one that failed, or they were the machine's. A failure of unknown kind may be anybody's: of a few of one
// candidate only the first is held against it, so that it is tried again. <state>/lifted has the record ids that were lifted by hand,
// one per line.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/session/session.h"

namespace cultivar {

// SHA-256 of this clone's worker, or of the pool's command and the program that it starts here; "" if the worker cannot
// be read.
std::string worker_digest(const Session& session);

class LiftedFailures {
public:
    // `own_runs`: all of a category that failed, others do not matter. Errors: io, corrupt (more than 4 MiB).
    static Result<LiftedFailures> read(const Session& session, const std::vector<RunRow>& own_runs);

    // Is this own run left out of the search's history? Asked once for each of `own_runs`, oldest first.
    bool lifted(const RunRow& row);
    bool by_hand(const std::string& record) const { return records_.contains(record); }

private:
    struct Unknown {
        int count = 0, met = 0;
    };
    // Its cause is gone, or was the machine's.
    bool answered(const RunRow& row) const;
    bool is_unknown(const RunRow& row) const;

    std::set<std::string> records_;
    std::string worker_;
    std::map<std::string, Unknown> unknown_;  // by candidate
};

// The size of the list of records that were lifted by hand, which only grows.
std::uintmax_t lifted_bytes(const Session& session);

// Lifts these records (ids). Errors: io, corrupt.
Result<void> lift_failures(const Session& session, const std::vector<std::string>& records);

}  // namespace cultivar
