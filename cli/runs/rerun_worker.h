// A run made again by the pool's own worker: its first steps by the clock on record, or all of it with a fresh seed.
#pragma once

#include "cli/runs/worker.h"
#include "cli/session/observer.h"
#include "cli/session/session.h"

namespace cultivar {

struct WorkerResult {
    Outcome outcome;
    std::vector<double> losses;  // of each step, nats a token
};

// In <state>/`folder`/, cleared afterwards; the worker is given up after `limit_s`. What goes wrong with the run is in the
// outcome. Errors: corrupt (a record without a clock that could be replayed), not_found (worker, data), io, interrupted.
Result<WorkerResult> replay_run(Worker& worker, const Observer& observer, const Session& session, Run run, int steps,
                                double limit_s, const std::string& folder);
Result<WorkerResult> rerun(Worker& worker, const Observer& observer, const Session& session, const Run& run,
                           std::uint64_t seed, double limit_s, const std::string& folder);

// The seed of a replicate that nobody could have tried before: its number is drawn from the operating system.
std::uint64_t fresh_seed(const std::string& candidate);

}  // namespace cultivar
