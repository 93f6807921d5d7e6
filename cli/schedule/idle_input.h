// The time since somebody last used this machine: terminals, and desktops as logind knows them.
//
// A terminal counts from its last input (the kernel keeps that in its access time, to 8 s). A desktop says itself when it is
// idle, usually some minutes after the last input; before that it counts as used now. Without a terminal or a desktop the
// machine is idle since it started.
#pragma once

#include "cli/schedule/machine_places.h"
#include "energy/when/judge.h"

namespace cultivar {

// Seconds.
Reading idle_input(const MachinePlaces& places, std::int64_t now_unix_s);

}  // namespace cultivar
