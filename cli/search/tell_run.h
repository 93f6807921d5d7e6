// Recording the result of a run that somebody else made of a candidate that was asked for here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/runs/run_result.h"
#include "cli/runs/worker.h"
#include "cli/session/observer.h"
#include "cli/session/session.h"
#include "pool/util/clock.h"

namespace cultivar {

// As it was told; exactly one of `score` and `failed` is there.
struct ToldResult {
    std::optional<double> score;          // smaller is better
    std::optional<double> joules;         // none: estimated
    std::optional<double> seconds;        // of training; none: since it was asked for, the budget at most
    std::optional<std::string> artifact;  // path of the weights
    std::optional<std::string> failed;    // why it has no score
    std::int64_t steps = 0;
};

struct ToldRun {
    ExploredRun explored;
    bool late = false;       // its lease was over, but nobody ran it here in the meantime
    std::int64_t until = 0;  // end of that lease, seconds since 1970
};

// Checks the result, measures the weights with the worker where the pool trains models, judges and records the run, and
// closes the ask that `id` (four digits or more) names. Errors: not_found (no such open ask, or run here since), usage
// (weights or steps are missing), unfit (over the cap), corrupt (other weights, or a better score than they have), io,
// busy, interrupted, git.
Result<ToldRun> tell_run(Session& session, Worker& worker, const Observer& observer, const Clock& clock,
                         const std::string& id, const ToldResult& told);

}  // namespace cultivar
