// The options that say what a synthetic pool is like, and what is told about one.
#pragma once

#include <string>
#include <vector>

#include "benchmarks/synthetic/pool.h"

namespace cultivar {

// Takes --runs, --contributors, --crossover and --seed with their values into `shape`; the other words come back.
// Errors: usage.
Result<std::vector<std::string>> read_shape(const std::vector<std::string>& words, PoolShape& shape);
// The words that read_shape() takes for this shape.
std::vector<std::string> shape_words(const PoolShape& shape);

// What was made, as a line of JSON.
std::string summary_json(const PoolShape& shape, const PoolSummary& made, double wall_s);

}  // namespace cultivar
