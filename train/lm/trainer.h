// One timed run: train for the budget, write the artifact, score it.
//
// The clock starts with the first step and excludes start-up, a priming micro-batch whose effects are discarded,
// writing checkpoints, and scoring; reading training data is on the clock. It is checked after each step: the step that
// crosses the budget is the last. After priming, a run whose single step would not fit its budget is refused ("unfit").
//
// A checkpoint is written every 30 s of training, at the end of training and when asked to stop. Asked to stop within a
// step, the run leaves that step undone: neither its work nor its time counts. A run started again with the same
// specification goes on from its checkpoint; only time on the training clock counts against the budget.
#pragma once

#include <functional>

#include "train/lm/worker_error.h"

namespace cultivar {

using Emit = std::function<void(const Event&)>;

// Emits start, step and eval; the caller emits what is returned. Errors: every kind of the protocol, and interrupted.
Outcome<DoneEvent> train(const Specification& specification, const Emit& emit);

}  // namespace cultivar
