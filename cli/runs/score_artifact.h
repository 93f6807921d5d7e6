// Scoring weights with the worker: a verifier scores those of a claim, `tell` those that were trained elsewhere.
#pragma once

#include "cli/runs/worker.h"
#include "cli/session/observer.h"
#include "cli/session/session.h"

namespace cultivar {

// Runs the worker in an existing folder (that ends with '/'), for `limit_s` at most, and removes the folder afterwards.
// Errors: not_found (worker), io, interrupted.
Result<Outcome> run_apart(Worker& worker, const Observer& observer, const Specification& specification,
                          const std::string& folder, double limit_s, const Listener& listener);

struct Scored {
    StartEvent start;  // the size of the model as this worker counts it
    Outcome outcome;
};

// Works in <state>/`folder`/, which is cleared afterwards, for `limit_s` at most; 0: for two of the pool's budgets, but for
// five minutes at least and half an hour at most. `chunks`: those to score, empty = all. `shard`: the file to score on, "" =
// the validation slice, or the validation file of an evaluator. Faults of the weights are in the outcome. Errors: not_found (worker, data), io, interrupted.
Result<Scored> score_artifact(Worker& worker, const Observer& observer, const Session& session, const Genes& genes,
                              const std::string& weights, const std::vector<int>& chunks, const std::string& folder,
                              const std::string& shard = "", double limit_s = 0);

}  // namespace cultivar
