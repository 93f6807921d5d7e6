// The way in which the energy of a run is measured on this machine: the sources that cover all that the run uses, best first.
//
// No joule is counted twice. In each moment one coverage counts, the first of these that can tell:
//   1. the user's own meter (setting power.command): the whole machine
//   2. the counters of processors and memory and, of a run on GPUs, those of the GPUs that it sees
//   3. batteries, while they discharge: the whole machine
//   4. the watts that the user declares: the whole machine
//   5. the counters that there are, and an estimate for the rest: 10 W per thread, 250 W per GPU
// A counter that is left out so is not in the record; cultivar-doctor(1) shows it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/energy/energy_source.h"

namespace cultivar {

inline constexpr double kEstimatedWattsPerThread = 10, kEstimatedWattsPerGpu = 250;

// The machine's own places; tests have theirs.
struct EnergyPlaces {
    std::string powercap = "/sys/class/powercap";
    std::string hwmon = "/sys/class/hwmon";
    std::string power_supply = "/sys/class/power_supply";
    std::string nvml = "libnvidia-ml.so.1";
    std::string proc_stat = "/proc/stat";
    std::string state_folder{};  // for the idle power; "": it is not kept
};

// The needs of a run, and the word of its user on the machine.
struct EnergyUse {
    int threads = 1;
    std::string device = "cpu";
    std::optional<std::string> visible_gpus{};  // as in CUDA_VISIBLE_DEVICES; none: all
    std::string device_number{};                // of those, the one that the run sees, from "0"; "": all of them
    std::optional<double> declared_watts{};     // of this run's part of the machine
    std::string meter_command{};                // "": none
    std::optional<double> meter_error{};
};

struct ConstantPower {
    std::string domain, method;
    double watts = 0;
};

// Sources and constants that together cover all that a run uses, none of it twice.
struct EnergyCoverage {
    std::vector<std::shared_ptr<EnergySource>> sources{};
    std::vector<ConstantPower> constants{};
};

struct EnergyPlan {
    std::vector<EnergyCoverage> coverages;  // the last has constants alone, or can always tell
    std::vector<std::string> notes;         // on closed counters and doubtful order, one line each

    std::vector<std::shared_ptr<EnergySource>> sources() const;  // of all coverages, each once
    bool measures() const { return !sources().empty(); }
};

EnergyPlan plan_energy(const EnergyPlaces& places, const EnergyUse& use);

}  // namespace cultivar
