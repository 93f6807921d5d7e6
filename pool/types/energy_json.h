// The JSON of an energy, for the writers of records and verdicts.
#pragma once

#include <nlohmann/json.hpp>

#include "pool/types/energy.h"

namespace cultivar {

nlohmann::ordered_json energy_json(const Energy& energy);

}  // namespace cultivar
