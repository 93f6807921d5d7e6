// Scores an artifact: the val_bpb of its dequantised weights. The trainer (for its own artifact) and a verifier (for a
// foreign one) use this same path, from the artifact's bytes.
#pragma once

#include <ATen/ATen.h>
#include <algorithm>

#include <string_view>

#include "train/lm/config/lm_config.h"
#include "train/lm/config/worker_error.h"

namespace cultivar {

struct Score {
    std::vector<int> chunks;              // ascending
    std::vector<double> chunk_loss_sums;  // nats, one per chunk
    double val_loss = 0;                  // nats per token, over the chunks
    double val_bpb = 0;
    std::int64_t tokens = 0;
    std::int64_t bytes = 0;
};

// Targets that one thread scores at a time.
inline std::int64_t score_batch_targets(const ModelConfig& config) {
    return std::max<std::int64_t>(1024, config.seq_len);
}

// Scores windows of seq_len tokens, one after another, over the first T = scored_targets(N) targets of the validation
// slice. A chunk's sums depend neither on the other chunks scored nor on the number of threads. Empty `chunks` means
// all. fp32 on every device. Errors: artifact (hostile bytes), data (slice or byte table), interrupted.
Outcome<Score> score_artifact(const LmConfig& config, at::Device device, std::string_view artifact_bytes,
                              const std::string& val_shard, const std::string& byte_table,
                              const std::vector<int>& chunks);

// Reports score_artifact()'s errors about the data before any training. Errors: data.
Outcome<void> check_validation(const std::string& val_shard, const std::string& byte_table, std::int64_t vocabulary);

// Copies the figures of a score into its event.
void set_score(DoneEvent& done, Score score);

}  // namespace cultivar
