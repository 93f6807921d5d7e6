// Making a run again with the worker: its first steps by the recorded clock, or all of it with a fresh seed.
#pragma once

#include "cli/runs/worker.h"
#include "cli/session/observer.h"
#include "cli/session/session.h"
#include "pool/util/clock.h"

namespace cultivar {

struct WorkerResult {
    Outcome outcome;
    std::vector<double> losses;  // of each step, nats per token
    double step_s = 0;           // mean time of a step here after the first; 0: fewer than two steps
};

// For `limit_s` at most; a replay in <state>/`folder`/, a rerun in a folder like those of explorations. Both are cleared
// afterwards. Failures of the run are in the
// outcome. Errors: corrupt (a record without a clock that could be replayed), not_found (worker, data), io,
// interrupted.
Result<WorkerResult> replay_run(Worker& worker, const Observer& observer, const Clock& clock, const Session& session,
                                Run run, int steps, double limit_s, const std::string& folder);
Result<WorkerResult> rerun(Worker& worker, const Observer& observer, const Clock& clock, const Session& session,
                           const Run& run, std::uint64_t seed, double limit_s);

// The seed of a replicate that nobody could have tried before: the operating system draws its number.
std::uint64_t fresh_seed(const std::string& candidate);

}  // namespace cultivar
