#include "cli/schedule/machine_signals.h"

#include <algorithm>

#include "cli/schedule/idle_input.h"
#include "cli/schedule/power_state.h"

namespace cultivar {

MachineSignals::MachineSignals(MachinePlaces places, const Clock& clock, GpuNeed gpu)
    : places_(std::move(places)), clock_(clock), gpu_(std::move(gpu)), load_(places_, clock) {}

Reading MachineSignals::now(Signal signal) {
    const auto known = read_.find(signal);
    return known == read_.end() ? read_.emplace(signal, read(signal)).first->second : known->second;
}

Reading MachineSignals::read(Signal signal) {
    switch (signal) {
        case Signal::idle:
            return idle_input(places_, clock_.unix_s());
        case Signal::battery:
            return battery_charge(places_);
        case Signal::ac:
            return mains(places_);
        case Signal::load:
            return load_.now();
        case Signal::temperature:
            return temperature(places_);
        case Signal::gpu:
            return users_of_gpus();
        default:
            return {};
    }
}

Reading MachineSignals::users_of_gpus() {
    if (!gpu_.is_needed) return {0, "", ""};
    std::string why;
    if (!nvml_) nvml_ = Nvml::load(places_.nvml, why);
    if (!nvml_) return {{}, "", why};
    std::vector<Gpu> gpus = visible_gpus(nvml_->gpus(), gpu_.visible);
    if (!gpu_.number.empty()) {
        const auto at = std::find_if(gpus.begin(), gpus.end(),
                                     [this, i = 0](const Gpu&) mutable { return std::to_string(i++) == gpu_.number; });
        gpus = at == gpus.end() ? std::vector<Gpu>() : std::vector<Gpu>{*at};
    }
    const std::set<pid_t> own = own_processes(places_).pids;
    double others = 0;
    for (const Gpu& gpu : gpus) {
        const auto users = nvml_->users(gpu.uuid);
        if (!users) return {{}, "", "NVIDIA's library does not tell the programs on its GPUs"};
        others += static_cast<double>(std::ranges::count_if(*users, [&](pid_t pid) { return !own.contains(pid); }));
    }
    return {others, "", ""};
}

}  // namespace cultivar
