// Formats an estimate as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "benchmarks/common/spread.h"

namespace cultivar {

inline nlohmann::ordered_json json_of(const Estimate& estimate) {
    return {{"mean", estimate.mean}, {"lo", estimate.lo}, {"hi", estimate.hi}};
}

}  // namespace cultivar
