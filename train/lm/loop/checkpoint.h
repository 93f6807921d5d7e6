// Checkpoints hold everything a run needs to continue as if it had never stopped, between two steps or within one.
//
// The file "checkpoint.bin" in the run's work folder holds: "CVLMCKP3", the SHA-256 of the rest as 64 hex digits, the
// run's digest (64 hex digits), step (i64), position (i64), reached_s (f64), elapsed_s (f64), wall_s (f64), floats (i64), lanes
// (i64), for each lane its batches (i64) and loss_sum (f64), all little-endian, and the floats: the state, then each
// lane's gradients. Between two steps there are no lanes. The file is written under a temporary name, synced and
// renamed. It is for this machine and this version, not for exchange.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

// Progress of a lane within a step.
struct LaneProgress {
    std::int64_t batches = 0;  // micro-batches finished
    double loss_sum = 0;       // sum over their targets, nats
};

struct Progress {
    std::int64_t step = 0;      // steps finished
    std::int64_t position = 0;  // in the token stream after the last finished step
    double reached_s = 0;       // on the training clock, after the last finished step
    double elapsed_s = 0;       // on the training clock, now; later than reached_s within a step
    double wall_s = 0;          // wall time while the training clock ran, now
    std::vector<LaneProgress> lanes;
};

using FloatBuffers = std::vector<std::span<float>>;

// `run_digest` is 64 hex digits that identify the run. Errors: io.
Result<void> write_checkpoint(const std::string& work_dir, const std::string& run_digest, const Progress& progress,
                              const FloatBuffers& buffers);

// The size of a run's checkpoint: with this many lanes, or with none.
struct CheckpointShape {
    std::size_t state_floats = 0, lanes = 0, lane_floats = 0;
};

class Checkpoint {
public:
    // Returns the checkpoint of this run if it is intact. Returns nothing if it is missing, damaged or of another run;
    // the run then starts afresh.
    static std::optional<Checkpoint> read(const std::string& work_dir, const std::string& run_digest,
                                          const CheckpointShape& shape);
    const Progress& progress() const { return progress_; }
    // Copies the floats into buffers of the size that was written.
    void restore(const FloatBuffers& buffers) const;

private:
    std::string bytes_;
    Progress progress_;
};

}  // namespace cultivar
