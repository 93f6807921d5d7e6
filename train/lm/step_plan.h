// How a step is cut up: micro-batches of whole rows, taken in turn by the lanes.
#pragma once

#include <span>

#include "train/lm/config.h"
#include "train/lm/lanes.h"

namespace cultivar {

struct StepPlan {
    static constexpr std::int64_t kMicroBatchTokens = 1024;  // activations of a layer stay near the cache

    std::int64_t tokens;        // of a step
    std::int64_t micro_tokens;  // of a micro-batch; the last one may be smaller
    std::int64_t batches;       // micro-batches of a step
    std::int64_t lanes;

    explicit StepPlan(const LmConfig& config) : tokens(config.tokens_per_step) {
        const std::int64_t row = config.model.seq_len, rows = tokens / row, threads = at::get_num_threads();
        const std::int64_t per_thread = (rows + threads - 1) / threads;
        micro_tokens = row * std::clamp<std::int64_t>(kMicroBatchTokens / row, 1, per_thread);
        batches = (tokens + micro_tokens - 1) / micro_tokens;
        lanes = lanes_for(batches);
    }
    // Tokens of a step's micro-batch and the one after them.
    std::span<const std::int64_t> micro_batch(std::span<const std::int64_t> step, std::int64_t batch) const {
        const std::int64_t begin = batch * micro_tokens, count = std::min(micro_tokens, tokens - begin);
        return step.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count + 1));
    }
};

}  // namespace cultivar
