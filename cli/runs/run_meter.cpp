#include "cli/runs/run_meter.h"

#include <cstdlib>

#include "pool/clone/user_state.h"

namespace cultivar {

EnergyPlaces energy_places() {
    EnergyPlaces places;
    places.state_folder = user_state_folder().value_or("");
    return places;
}

EnergyUse energy_use(const Settings& settings) {
    EnergyUse use;
    use.threads = settings.threads.value;
    use.device = settings.device.value;
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    if (visible) use.visible_gpus = visible;
    use.device_number = settings.device_number;
    if (settings.watts.value > 0) use.declared_watts = settings.watts.value / settings.jobs;
    use.meter_command = settings.power_command.value;
    if (settings.power_error.value > 0) use.meter_error = settings.power_error.value;
    return use;
}

IdlePowers kept_idle_powers(const EnergyPlaces& places) {
    return places.state_folder.empty() ? IdlePowers() : read_idle_powers(idle_file(places.state_folder));
}

void learn_idle_power(const Clock& clock, const EnergyPlaces& places, const EnergyPlan& plan,
                      const std::function<bool()>& stop) {
    IdlePowers powers = kept_idle_powers(places);
    const auto sources = plan.sources();
    if (places.state_folder.empty() || are_known(powers, sources, clock.unix_s())) return;
    if (!measure_idle(clock, sources, places.proc_stat, stop, powers)) return;
    [[maybe_unused]] const auto kept = write_idle_powers(idle_file(places.state_folder), powers);
}

}  // namespace cultivar
