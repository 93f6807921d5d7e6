// A checkpoint: everything a run needs to go on as if it had never stopped.
//
// File "checkpoint.bin" in the run's work folder: "CVLMCKP1", then the SHA-256 of the rest as 64 hex digits, then the
// SHA-256 of the run's specification (64 hex digits), step (i64), position (i64), elapsed_s (f64), parameters (i64),
// all little-endian, and three times that many floats: weights, first moments, second moments. Written to a temporary
// name, synced and renamed. It is of this machine and this version: not a format for exchange.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "pool/result.h"

namespace cultivar {

struct Progress {
    std::int64_t step = 0;      // steps finished
    std::int64_t position = 0;  // tokens taken from the stream
    double elapsed_s = 0;       // on the training clock
};

struct StateView {
    std::span<float> values, first_moments, second_moments;  // of equal size
};

// Errors: io.
Result<void> write_checkpoint(const std::string& work_dir, const std::string& specification_digest,
                              const Progress& progress, const StateView& state);

// The bytes of a checkpoint of this specification that is whole; nothing where there is none, where it is damaged or of
// another run: the run then starts afresh.
class Checkpoint {
public:
    static std::optional<Checkpoint> read(const std::string& work_dir, const std::string& specification_digest,
                                          std::int64_t parameters);
    const Progress& progress() const { return progress_; }
    void restore(const StateView& state) const;

private:
    std::string bytes_;
    Progress progress_;
};

}  // namespace cultivar
