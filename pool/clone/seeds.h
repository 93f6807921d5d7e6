// The seeds of a pool: seeds/NAME.toml on main, candidates that a search begins with.
#pragma once

#include <string>
#include <vector>

#include "pool/clone/clone.h"
#include "pool/types/candidate.h"

namespace cultivar {

struct Seed {
    std::string name;  // "small"
    Candidate candidate;
};

// By name. Errors: usage (file:line:col), corrupt, git.
Result<std::vector<Seed>> read_seeds(const Clone& clone);

}  // namespace cultivar
