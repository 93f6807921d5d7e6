// The options that say what a synthetic pool is like.
#pragma once

#include <string>
#include <vector>

#include "benchmarks/synthetic_pool.h"

namespace cultivar {

// Takes --runs, --contributors, --crossover and --seed with their values into `shape`; the other words come back.
// Errors: usage.
Result<std::vector<std::string>> read_shape(const std::vector<std::string>& words, PoolShape& shape);

}  // namespace cultivar
