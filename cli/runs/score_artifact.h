// Scoring weights by the pool's own worker: what a verifier does with a claim, and `tell` with what was trained elsewhere.
#pragma once

#include "cli/session/session.h"
#include "train/launch/trainer_process.h"

namespace cultivar {

// The pool's worker on a specification whose `work_dir` (with '/' at its end) exists: held to the sandbox, given up after
// `limit_s`; the folder is removed afterwards. Errors: not_found (worker), io, interrupted.
Result<Outcome> run_apart(const Context& context, const Session& session, const Specification& specification,
                          double limit_s, const Listener& listener);

struct Scored {
    StartEvent start;  // as this worker counts the model, whatever anybody says
    Outcome outcome;
};

// In <state>/`folder`/, which is cleared afterwards. `chunks`: those to score, empty = all. What is wrong with the
// weights is in the outcome. `shard`: what to score on, "": the validation slice. Errors: not_found (worker, data), io,
// interrupted.
Result<Scored> score_artifact(const Context& context, const Session& session, const Genes& genes,
                              const std::string& weights, const std::vector<int>& chunks, const std::string& folder,
                              const std::string& shard = "");

}  // namespace cultivar
