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

// By name. A seed that is no candidate of the space is passed over, and named in `faults` (file:line:col); where no other is
// left, that is the error. Errors: usage, corrupt, git.
Result<std::vector<Seed>> read_seeds(const Clone& clone, std::vector<Error>* faults = nullptr);

}  // namespace cultivar
