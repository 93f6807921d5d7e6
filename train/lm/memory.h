// How much memory a run takes, found out before it is paid for.
#pragma once

#include <cstdint>

#include "train/lm/config.h"
#include "train/lm/worker_error.h"

namespace cultivar {

// An estimate of the resident memory of training in so many lanes with micro-batches of so many tokens.
double training_memory_bytes(const ModelConfig& config, std::int64_t parameters, std::int64_t micro_tokens,
                             std::int64_t lanes);

// Refuses what clearly does not fit into the memory that is left. Errors: unfit.
Outcome<void> check_memory(double needed_bytes);

// What this process may still take: the least of the machine's available memory and the control group's limit.
// Infinite where neither can be read.
double available_memory_bytes();

}  // namespace cultivar
