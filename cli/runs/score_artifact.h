// Scoring weights by the pool's own worker: what a verifier does with a claim, and `tell` with what was trained elsewhere.
#pragma once

#include "cli/runs/worker.h"
#include "cli/session/observer.h"
#include "cli/session/session.h"

namespace cultivar {

// Runs the worker on a specification whose `work_dir` (with '/' at its end) exists, for `limit_s` at most, and removes
// the folder afterwards. Errors: not_found (worker), io, interrupted.
Result<Outcome> run_apart(Worker& worker, const Observer& observer, const Specification& specification, double limit_s,
                          const Listener& listener);

struct Scored {
    StartEvent start;  // as this worker counts the model, whatever anybody says
    Outcome outcome;
};

// In <state>/`folder`/, which is cleared afterwards. `chunks`: those to score, empty = all. What is wrong with the
// weights is in the outcome. `shard`: what to score on, "": the validation slice. Errors: not_found (worker, data), io,
// interrupted.
Result<Scored> score_artifact(Worker& worker, const Observer& observer, const Session& session, const Genes& genes,
                              const std::string& weights, const std::vector<int>& chunks, const std::string& folder,
                              const std::string& shard = "");

}  // namespace cultivar
