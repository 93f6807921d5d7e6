// All that can tell energy on this machine, for people: counters, domains, their idle power, permission; and for each thing
// that is missing a remedy. Looking changes nothing.
#pragma once

#include <string>
#include <vector>

#include "train/energy/energy_plan.h"
#include "train/energy/idle_power.h"

namespace cultivar {

// A rule for udev that gives a group read access to the counters of the processors: share/udev/70-cultivar-power.rules.
extern const char* const kUdevRule;

struct PowerFinding {
    std::string kind;                   // "meter", "processors", "gpu", "battery", "declared", "estimate"
    bool counts = false;                // in the record of a run that starts now
    std::string text;                   // one line
    std::vector<std::string> remedy{};  // lines; none where nothing is missing
    std::string key{};                  // of its source; "": it has none
    std::optional<IdlePower> idle{};
};

// GPUs are looked for whether `use` names one or not; they count only for runs that use them. The user's meter is asked once.
std::vector<PowerFinding> survey_power(const EnergyPlaces& places, const EnergyUse& use, const IdlePowers& idle);

}  // namespace cultivar
