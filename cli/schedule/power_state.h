// Mains, batteries and temperature, as the kernel tells them.
#pragma once

#include <string>

#include "cli/schedule/machine_places.h"
#include "energy/when/judge.h"

namespace cultivar {

// 1 on mains, 0 on battery. Without anything that tells of mains, a battery that discharges tells it; a machine with neither
// is on mains.
Reading mains(const MachinePlaces& places);
// The mean charge of the machine's batteries, %; those of a mouse and the like are none.
Reading battery_charge(const MachinePlaces& places);
// The hottest sensor of the processors (hwmon), else the hottest thermal zone, degrees Celsius.
Reading temperature(const MachinePlaces& places);

}  // namespace cultivar
