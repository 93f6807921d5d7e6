// The user's own meter of the whole machine: a shell command that prints watts (setting power.command), such as one that
// asks a plug. It runs in the background, every few seconds and for a few at most; one that fails is told and not fatal.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "train/energy/energy_source.h"

namespace cultivar {

inline constexpr double kMeterEvery_s = 5, kMeterLimit_s = 5, kMeterStale_s = 60;

// `error`: as the user states it, else that of the method.
std::shared_ptr<EnergySource> user_meter_source(const std::string& command, std::optional<double> error = {});

}  // namespace cultivar
