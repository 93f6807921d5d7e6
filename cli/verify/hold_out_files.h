// A verifier's private files in a pool with a command of its own: each takes the place of the validation file for some of the
// claims (cli/verify/hold_out_book.h).
#pragma once

#include <string>
#include <vector>

#include "pool/clone/clone.h"
#include "train/data/hold_out_slices.h"

namespace cultivar {

// Copies them into `folder`, readable by their owner alone, in their order, each under a name that ends in that of the
// validation file, by which programs may know its kind. Errors: usage (no evaluator that takes a hold-out; a file that the
// pool has, or twice the same; too many), not_found, io.
Result<HoldOutMade> copy_hold_out(const Clone& clone, const std::vector<std::string>& sources,
                                  const std::string& folder);

}  // namespace cultivar
