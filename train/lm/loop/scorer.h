// The score of an artifact: val_bpb of its dequantised weights. The trainer scores its own artifact and a verifier that
// of somebody else by this one path, from the artifact's bytes.
#pragma once

#include <ATen/ATen.h>
#include <algorithm>

#include <string_view>

#include "train/lm/config/lm_config.h"
#include "train/lm/config/worker_error.h"

namespace cultivar {

struct Score {
    std::vector<int> chunks;              // ascending
    std::vector<double> chunk_loss_sums;  // nats, one a chunk
    double val_loss = 0;                  // nats a token, over the chunks
    double val_bpb = 0;
    std::int64_t tokens = 0;
    std::int64_t bytes = 0;
};

// How many targets one thread scores at a time.
inline std::int64_t score_batch_targets(const ModelConfig& config) {
    return std::max<std::int64_t>(1024, config.seq_len);
}

// Windows of seq_len tokens, one after another, over the first T = scored_targets(N) targets of the validation slice.
// The sums of a chunk depend neither on which others are scored nor on the number of threads. `chunks` empty: all.
// In fp32 on every device. Errors: artifact (hostile bytes), data (slice or byte table), interrupted.
Outcome<Score> score_artifact(const LmConfig& config, at::Device device, std::string_view artifact_bytes,
                              const std::string& val_shard, const std::string& byte_table,
                              const std::vector<int>& chunks);

// What score_artifact() will say of the data, before anything has been paid for. Errors: data.
Outcome<void> check_validation(const std::string& val_shard, const std::string& byte_table, std::int64_t vocabulary);

// The figures of a score in the event that reports them.
void set_score(DoneEvent& done, Score score);

}  // namespace cultivar
