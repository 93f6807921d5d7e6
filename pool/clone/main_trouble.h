// Faults of this clone's main beside the remote's.
#pragma once

#include <string>

#include "pool/clone/clone.h"

namespace cultivar {

// A sentence for the user, or "": the two have parted, so that the remote's counts, and perhaps this one's pool.toml is
// broken; or this one is ahead, and others would refuse it. One comparison where they are the same. Errors: git.
Result<std::string> main_trouble(const Clone& clone);

}  // namespace cultivar
