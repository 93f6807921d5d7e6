#include "train/energy/energy_plan.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "train/energy/nvml.h"
#include "train/energy/power_reading.h"
#include "train/energy/rapl.h"
#include "train/energy/user_meter.h"

namespace cultivar {
namespace {

using Sources = std::vector<std::shared_ptr<EnergySource>>;

// CUDA counts from the fastest GPU unless it is told to count as NVML does.
bool may_be_counted_otherwise(const std::vector<Gpu>& gpus, const EnergyUse& use) {
    const char* order = std::getenv("CUDA_DEVICE_ORDER");
    const bool by_address = order && std::string_view(order) == "PCI_BUS_ID";
    const std::string visible = use.visible_gpus.value_or("");
    const bool by_index = !use.device_number.empty() || visible.find_first_of("0123456789") == 0;
    const bool alike = std::ranges::all_of(gpus, [&](const Gpu& one) { return one.name == gpus.front().name; });
    return by_index && !by_address && !alike;
}

std::vector<Gpu> gpus_of_run(const std::vector<Gpu>& all, const EnergyUse& use) {
    std::vector<Gpu> seen = visible_gpus(all, use.visible_gpus);
    if (use.device_number.empty()) return seen;
    const auto number = static_cast<std::size_t>(std::atoi(use.device_number.c_str()));
    return number < seen.size() ? std::vector<Gpu>{seen[number]} : std::vector<Gpu>();
}

Sources nvidia_sources(const EnergyPlaces& places, const EnergyUse& use, std::vector<std::string>& notes) {
    Sources sources;
    std::string why;
    const auto nvml = Nvml::load(places.nvml, why);
    if (!nvml) return sources;
    const std::vector<Gpu> all = nvml->gpus();
    if (may_be_counted_otherwise(all, use))
        notes.push_back(
            "the GPUs are of several kinds, so that CUDA may count them in another order than their "
            "counters do: set CUDA_DEVICE_ORDER=PCI_BUS_ID");
    for (const Gpu& gpu : gpus_of_run(all, use)) {
        if (auto source = nvidia_gpu_source(nvml, gpu)) sources.push_back(std::move(source));
    }
    return sources;
}

Sources amd_sources(const EnergyPlaces& places, const EnergyUse& use) {
    Sources sources;
    const std::vector<std::string> folders = amd_gpu_folders(places.hwmon);
    std::vector<Gpu> all;
    for (std::size_t i = 0; i < folders.size(); ++i) all.push_back({static_cast<int>(i), "", "amdgpu"});
    for (const Gpu& gpu : gpus_of_run(all, use))
        sources.push_back(amd_gpu_source(folders[static_cast<std::size_t>(gpu.index)]));
    return sources;
}

// Of the GPUs that the run sees; none of a run without one.
Sources gpu_sources(const EnergyPlaces& places, const EnergyUse& use, std::vector<std::string>& notes) {
    if (use.device != "cuda") return {};
    Sources sources = nvidia_sources(places, use, notes);
    return sources.empty() ? amd_sources(places, use) : sources;
}

Sources together(const Sources& a, const Sources& b) {
    Sources all = a;
    all.insert(all.end(), b.begin(), b.end());
    return all;
}

// The counters that there are, and an estimate for each part of the run that none covers.
EnergyCoverage with_estimates(const EnergyUse& use, const Sources& processors, const Sources& gpus) {
    EnergyCoverage coverage{together(processors, gpus), {}};
    if (processors.empty()) coverage.constants.push_back({"cpu", "estimated", kEstimatedWattsPerThread * use.threads});
    if (gpus.empty() && use.device == "cuda") coverage.constants.push_back({"gpu", "estimated", kEstimatedWattsPerGpu});
    return coverage;
}

}  // namespace

std::vector<std::shared_ptr<EnergySource>> EnergyPlan::sources() const {
    Sources all;
    for (const EnergyCoverage& coverage : coverages) {
        for (const auto& source : coverage.sources) {
            if (std::ranges::find(all, source) == all.end()) all.push_back(source);
        }
    }
    return all;
}

EnergyPlan plan_energy(const EnergyPlaces& places, const EnergyUse& use) {
    EnergyPlan plan;
    if (!use.meter_command.empty())
        plan.coverages.push_back({{user_meter_source(use.meter_command, use.meter_error)}, {}});
    const std::vector<RaplZone> zones = rapl_zones(places.powercap);
    const Sources processors = rapl_sources(zones), gpus = gpu_sources(places, use, plan.notes);
    if (std::ranges::any_of(zones, &RaplZone::forbidden))
        plan.notes.push_back(
            "the energy counters of the processors are closed to this user: 'cultivar doctor --power' "
            "tells the remedy");
    const bool covers_gpus = use.device != "cuda" || !gpus.empty();
    if (!processors.empty() && covers_gpus) plan.coverages.push_back({together(processors, gpus), {}});
    const std::vector<std::string> batteries = battery_folders(places.power_supply);
    if (!batteries.empty()) plan.coverages.push_back({{battery_source(batteries)}, {}});
    if (use.declared_watts) plan.coverages.push_back({{}, {{"machine", "declared", *use.declared_watts}}});
    if (!use.declared_watts) plan.coverages.push_back(with_estimates(use, processors, gpus));
    plan.coverages.push_back(with_estimates(use, {}, {}));
    return plan;
}

}  // namespace cultivar
