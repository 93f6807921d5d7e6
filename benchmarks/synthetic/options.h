// The command-line options for the shape of a synthetic pool, and the report about one.
#pragma once

#include <string>
#include <vector>

#include "benchmarks/synthetic/pool.h"

namespace cultivar {

// Reads --runs, --contributors, --crossover and --seed with their values into `shape` and returns the other words.
// Errors: usage.
Result<std::vector<std::string>> read_shape(const std::vector<std::string>& words, PoolShape& shape);
// Returns the words that read_shape() reads as this shape.
std::vector<std::string> shape_words(const PoolShape& shape);

// Returns a summary of the pool as a line of JSON.
std::string summary_json(const PoolShape& shape, const PoolSummary& made, double wall_s);

}  // namespace cultivar
