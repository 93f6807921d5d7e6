// How much memory a run takes, found out before it is paid for.
#pragma once

#include <cstdint>

#include "train/lm/config/lm_config.h"
#include "train/lm/config/worker_error.h"

namespace cultivar {

// The most memory that this process will have resident while it trains in so many lanes with micro-batches of so many
// tokens, on the CPU; measured to be right within 20 % (tests/train/lm/worker/memory_test.cpp).
double training_memory_bytes(const LmConfig& config, std::int64_t parameters, std::int64_t micro_tokens,
                             std::int64_t lanes);

// The same of scoring batches of so many tokens.
double scoring_memory_bytes(const LmConfig& config, std::int64_t parameters, std::int64_t batch_tokens,
                            std::int64_t lanes);

// Refuses what clearly does not fit into the memory that is left. Errors: unfit.
Outcome<void> check_memory(double needed_bytes);

// What this process may still take: the least of the machine's available memory and the control group's limit.
// Infinite where neither can be read.
double available_memory_bytes();

}  // namespace cultivar
