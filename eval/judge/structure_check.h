// Tier 1 of verification: the records of a claim's runs must be possible, before anything is computed.
//
// Intake (pool/rules/record_checks.h) has checked hashes, budget, caps, seeds and the metric's invariant of every
// record. Here, of a run that a claim rests on: every step took the tokens that the configuration says; the trace's
// clock began at 0, never fell and ended within the training; the curve goes forward; and the weights have the digest
// and the size on record. A run that was told (cultivar-tell(1)) has neither tokens nor a trace, and one that was
// killed early may lack a step of it.
#pragma once

#include <string_view>

#include "pool/types/record.h"
#include "pool/types/search_space.h"

namespace cultivar {

// Errors: corrupt, with the reason.
Result<void> check_structure(const Space& space, const Run& run);
// A run of a claim had the budget of its category: the one that the category's name tells, else the pool's. Errors:
// corrupt, with both figures.
Result<void> check_budget(const Run& run, double pool_budget_s);
// Has it the trace of all its first K steps?
bool is_replayable(const Run& run);
Result<void> check_weights(const Run& run, std::string_view weights);

}  // namespace cultivar
