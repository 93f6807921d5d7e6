// The meter of this machine's runs, by the settings of the user.
#pragma once

#include <functional>

#include "cli/app/settings.h"
#include "pool/util/clock.h"
#include "train/energy/energy_meter.h"

namespace cultivar {

// Those of this machine, with the user's state folder.
EnergyPlaces energy_places();
EnergyUse energy_use(const Settings& settings);

// The idle power that is kept of this machine. Changes nothing.
IdlePowers kept_idle_powers(const EnergyPlaces& places);
// Measures and keeps the idle power of the sources that have none of this month, unless the machine is busy; where all
// have one, it takes no time. A folder that cannot be written keeps none.
void learn_idle_power(const Clock& clock, const EnergyPlaces& places, const EnergyPlan& plan,
                      const std::function<bool()>& stop);

}  // namespace cultivar
