// Measures the energy of a run in joules with the best method that this machine offers, and names the method.
//
//   "rapl"       Linux powercap counters (energy_uj of every package and its DRAM), less idle watts x seconds
//   "declared"   without a readable counter: the watts that the user declared x wall seconds
//   "estimated"  without a declaration either: 10 W per trainer thread x wall seconds
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

    // Sets the idle power (watts) that later runs subtract to the mean power between start() and stop(). Call it after
    // about a second of idle time. 0 without counters.
    void learn_idle();

    void start();
    // Counters wrap around, at 100 W after about ten minutes. Call this at least once per minute between start and
    // stop.
    void poll();
    // Energy and time since start(), without the idle energy. Joules are below 0 while the machine is quieter than
    // during learn_idle(). The difference of two readings is the cost of the time between them.
    struct Spent {
        double joules = 0, seconds = 0;
    };
    Spent spent();
    Energy stop();

private:
    struct Counter {
        std::string path;         // .../energy_uj
        std::uint64_t range = 0;  // max_energy_range_uj: the counter restarts at 0 after this value
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
