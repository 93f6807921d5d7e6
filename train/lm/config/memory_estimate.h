// Estimates a run's memory before it starts.
#pragma once

#include <cstdint>

#include "train/lm/config/lm_config.h"
#include "train/lm/config/worker_error.h"

namespace cultivar {

// Returns the most memory (bytes) that this process will have resident while it trains on the CPU with `lanes` lanes
// and micro-batches of `micro_tokens` tokens; measured to be right within 20 % (tests/train/lm/worker/memory_test.cpp).
double training_memory_bytes(const LmConfig& config, std::int64_t parameters, std::int64_t micro_tokens,
                             std::int64_t lanes);

// The same for scoring batches of `batch_tokens` tokens.
double scoring_memory_bytes(const LmConfig& config, std::int64_t parameters, std::int64_t batch_tokens,
                            std::int64_t lanes);

// Refuses a run that clearly does not fit into the available memory. Errors: unfit.
Outcome<void> check_memory(double needed_bytes);

// Memory that this process may still take: the lesser of the machine's available memory and the rest of the control
// group's limit. Infinite if neither can be read.
double available_memory_bytes();

}  // namespace cultivar
