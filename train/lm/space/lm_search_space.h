// The search space of the built-in language-model task: the one table for the space of a new pool, the checks, the
// documentation and the worker's defaults. No torch here.
//
// Defaults are those of Parameter Golf's published baseline. A gene's name, type and default never change; a new gene's
// default keeps the old behaviour. The vocabulary is not a gene: it comes with the tokenizer.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pool/types/search_space.h"

namespace cultivar {

std::vector<Gene> lm_genes();
std::vector<Constraint> lm_constraints();

// The candidates that a new pool begins with: stem of the file's name and its TOML, written for people.
//   baseline   Parameter Golf's baseline: every default
//   laptop     its 14-layer variant for a laptop, the start of Parameter Golf's pull request 597
//   small      a model that two cores can train in seconds, with the laptop variant's schedule
std::vector<std::pair<std::string, std::string>> lm_seeds();

}  // namespace cultivar
