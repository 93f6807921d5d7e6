// Runs one timed training: trains for the budget, writes the artifact, scores it. Or repeats part of a recorded run by
// its recorded clock.
//
// The clock starts with the first step. It excludes start-up, a priming micro-batch with discarded effects, writing
// checkpoints, and scoring; it includes reading training data. It is checked after each step
// (train/lm/loop/run_clock.h). After priming, a run is refused ("unfit") if a single step would not fit its budget.
//
// A crash of the machine loses at most about checkpoint_s of training and one micro-batch: a checkpoint is written
// after steps and, when they are long, within them; also at the end of training and when asked to stop. Lost work does
// not count against the budget, because only time on the training clock does. A run started again with the same
// specification continues from its checkpoint.
//
// With a recorded clock a run repeats the recorded one: with the same seed, genes, data, threads and machine it gives
// the same losses and the same artifact, bit for bit. Another number of threads or another machine adds the same
// numbers in another order, and training slowly magnifies the rounding differences: train/protocol/replay_spec.h.
#pragma once

#include <ATen/ATen.h>

#include <functional>

#include "train/lm/config/worker_error.h"

namespace cultivar {

using Emit = std::function<void(const Event&)>;

// Runs modes train and replay. Emits start, step and eval; the caller emits the returned event. Errors: every kind of
// the protocol, and interrupted.
Outcome<DoneEvent> train(const Specification& specification, at::Device device, const Emit& emit);

}  // namespace cultivar
