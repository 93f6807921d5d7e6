// A silent engine: the runs of a pool as one repeat of an arm.
#pragma once

#include "cli/compare/arm_spec.h"
#include "energy/compare/arm.h"
#include "pool/index/index.h"

namespace cultivar {

// The runs that the arm takes, with their proposers, their bytes and the verdicts on their claims. `has_compute`: the runs tell
// their steps (not those of a pool's own command). Errors: those of the index, not_found (no run is taken).
Result<Repeat> load_repeat(Index& index, const ArmSpec& spec, bool has_compute);

// The meter of a writer's figures: "rapl at ann.desk" of "ann.desk.0123abcd". One machine has one, whatever key it signs with.
std::string meter_of(const std::string& method, const std::string& writer);

}  // namespace cultivar
