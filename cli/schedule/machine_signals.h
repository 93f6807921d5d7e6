// The signals of this machine, read once for each question.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/schedule/machine_places.h"
#include "cli/schedule/own_processes.h"
#include "energy/when/judge.h"
#include "pool/util/clock.h"
#include "train/energy/nvml.h"

namespace cultivar {

// The GPUs that runs will use.
struct GpuNeed {
    bool is_needed = false;
    std::optional<std::string> visible{};  // as in CUDA_VISIBLE_DEVICES
    std::string number{};                  // of those, "1"; "": all of them
};

class MachineSignals {
public:
    // `clock` must outlive it.
    MachineSignals(MachinePlaces places, const Clock& clock, GpuNeed gpu = {});

    // What was read since begin_question() is not read again.
    Reading now(Signal signal);
    void begin_question() { read_.clear(); }

private:
    Reading read(Signal signal);
    Reading users_of_gpus();

    const MachinePlaces places_;
    const Clock& clock_;
    const GpuNeed gpu_;
    OthersLoad load_;
    std::shared_ptr<Nvml> nvml_;
    std::map<Signal, Reading> read_;
};

}  // namespace cultivar
