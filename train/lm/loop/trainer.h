// One timed run: train for the budget, write the artifact, score it. Or part of a run once more, by its own clock.
//
// The clock starts with the first step and excludes start-up, a priming micro-batch whose effects are discarded,
// writing checkpoints, and scoring; reading training data is on the clock. It is checked after each step
// (train/lm/loop/run_clock.h). After priming, a run whose single step would not fit its budget is refused ("unfit").
//
// At most checkpoint_s of training is lost with the machine, give or take a micro-batch: a checkpoint is written after
// steps and, when they are long, within them; also at the end of training and when asked to stop. What a step lost that
// way does not count against the budget: only time on the training clock does. A run started again with the same
// specification goes on from its checkpoint.
//
// With a recorded clock a run repeats the one on record: with its seed, genes, data, threads and machine the same losses
// and the same artifact, bit for bit. Another number of threads or another machine adds the same numbers up in another
// order, and training slowly magnifies what that rounds away: train/protocol/replay_spec.h.
#pragma once

#include <ATen/ATen.h>

#include <functional>

#include "train/lm/config/worker_error.h"

namespace cultivar {

using Emit = std::function<void(const Event&)>;

// Modes train and replay. Emits start, step and eval; the caller emits what is returned. Errors: every kind of the protocol, and interrupted.
Outcome<DoneEvent> train(const Specification& specification, at::Device device, const Emit& emit);

}  // namespace cultivar
