// What a run cost in joules, by the best means this machine offers, marked with the method.
//
//   "rapl"       Linux powercap counters (energy_uj of every package and its DRAM), less idle watts x seconds
//   "declared"   no counter is readable: the watts that the user declared x wall seconds
//   "estimated"  nothing declared either: 10 W a trainer thread x wall seconds
// Debian lets only root read energy_uj; absence is normal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pool/types/record.h"
#include "pool/util/clock.h"

namespace cultivar {

inline constexpr double kEstimatedWattsPerThread = 10;

class EnergyMeter {
public:
    // `clock` must outlive the meter. `powercap` is the folder that holds intel-rapl:*.
    EnergyMeter(const Clock& clock, int threads, std::optional<double> declared_watts,
                const std::string& powercap = "/sys/class/powercap");

    bool measures() const { return !counters_.empty(); }

    // Between a start() and a stop() around an idle second or so: the watts to take off later runs. 0 without counters.
    void learn_idle();

    void start();
    // Counters wrap around, at 100 W after some ten minutes: call this at least once a minute between start and stop.
    void poll();
    // Since start(), idle taken off; below 0 while the machine is quieter than it was when idle was learnt. The
    // difference of two tells what the time between took.
    struct Spent {
        double joules = 0, seconds = 0;
    };
    Spent spent();
    Energy stop();

private:
    struct Counter {
        std::string path;         // .../energy_uj
        std::uint64_t range = 0;  // max_energy_range_uj: the value after which it starts again at 0
        std::uint64_t last = 0;
    };

    const Clock& clock_;
    double fallback_watts_;
    bool declared_;
    std::vector<Counter> counters_;
    double idle_watts_ = 0;
    double started_s_ = 0;
    Spent last_;
    double microjoules_ = 0;
};

}  // namespace cultivar
