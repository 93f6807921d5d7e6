// The processes of this program, and the load that others put on the processors.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "cli/schedule/machine_places.h"
#include "energy/when/judge.h"
#include "pool/util/clock.h"

namespace cultivar {

struct OwnProcesses {
    std::set<pid_t> pids{};   // this process and all that descend from it
    std::uint64_t ticks = 0;  // of processor time, of them and of the children that they waited for
};
OwnProcesses own_processes(const MachinePlaces& places);

// The share of all processors that others use, %: the mean of the time between two readings, a second or more.
class OthersLoad {
public:
    // Both must outlive it.
    OthersLoad(const MachinePlaces& places, const Clock& clock) : places_(places), clock_(clock) {}

    // Waits for a second the first time.
    Reading now();

private:
    struct Ticks {
        std::uint64_t busy = 0, all = 0, own = 0;
        double at_s = 0;
    };
    std::optional<Ticks> read() const;

    const MachinePlaces& places_;
    const Clock& clock_;
    std::optional<Ticks> before_;
    std::optional<double> percent_;
};

}  // namespace cultivar
