// The energy counters of processors and their memory: Linux powercap, intel-rapl (AMD's too).
//
// A package's counter, or that of each of its dies ("package-0-die-1"), includes cores and graphics but not the memory.
// "psys" includes the packages, and intel-rapl-mmio shows the same packages again: neither is counted. Kernels since 5.10
// let only root read them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/energy/energy_source.h"

namespace cultivar {

struct RaplZone {
    std::string folder, name;  // "/sys/class/powercap/intel-rapl:0", "package-0"
    bool forbidden = false;    // this user may not read it
};

// Zones that count, sorted by folder.
std::vector<RaplZone> rapl_zones(const std::string& powercap);
// Of the zones that can be read.
std::vector<std::shared_ptr<EnergySource>> rapl_sources(const std::vector<RaplZone>& zones);

}  // namespace cultivar
