#include "train/energy/power_survey.h"

#include <algorithm>

#include <fmt/format.h>

#include "pool/util/text.h"
#include "train/energy/nvml.h"
#include "train/energy/power_reading.h"
#include "train/energy/rapl.h"
#include "train/energy/system_file.h"
#include "train/energy/user_meter.h"

namespace cultivar {

const char* const kUdevRule =
    R"(SUBSYSTEM=="powercap", ACTION=="add", TEST=="energy_uj", RUN+="/bin/chgrp cultivar %S%p/energy_uj", RUN+="/bin/chmod 0440 %S%p/energy_uj")";

namespace {

using Findings = std::vector<PowerFinding>;

std::vector<std::string> way_to_counters() {
    return {"let a group read them, as root:",
            "groupadd --system cultivar; usermod -a -G cultivar USER",
            "write this line to /etc/udev/rules.d/70-cultivar-power.rules:",
            kUdevRule,
            "udevadm control --reload; udevadm trigger --subsystem-match=powercap --action=add",
            "and log in again. The file lies in share/cultivar/udev, where cultivar was installed"};
}

const std::vector<std::string> kWayWithoutCounters = {
    "declare the watts that the machine draws while it trains: cultivar.watts (git config), or 'watts' in config.toml;",
    "or name a command that prints the watts of a plug or another meter: cultivar.power.command"};

void add(Findings& findings, const IdlePowers& idle, PowerFinding finding) {
    const auto known = idle.find(finding.key);
    if (known != idle.end()) finding.idle = known->second;
    findings.push_back(std::move(finding));
}

void survey_meter(Findings& findings, const EnergyUse& use, const IdlePowers& idle) {
    if (use.meter_command.empty()) return add(findings, idle, {"meter", false, "none is set (power.command)"});
    const auto meter = user_meter_source(use.meter_command, use.meter_error);
    meter->begin();
    const auto watts = meter->take(1);
    PowerFinding finding{"meter", watts.has_value(), watts ? fmt::format("{:.1f} W now", *watts) : meter->trouble()};
    if (!watts) finding.remedy = {"run it by hand: sh -c " + clean(use.meter_command)};
    finding.key = meter->key();
    add(findings, idle, std::move(finding));
}

void survey_processors(Findings& findings, const EnergyPlaces& places, const IdlePowers& idle) {
    const std::vector<RaplZone> zones = rapl_zones(places.powercap);
    for (const auto& source : rapl_sources(zones)) {
        PowerFinding finding{"processors", false, fmt::format("{} ({})", source->domain(), clean(source->key()))};
        finding.key = source->key();
        add(findings, idle, std::move(finding));
    }
    const auto closed = std::ranges::count_if(zones, &RaplZone::forbidden);
    if (closed > 0)
        add(findings, idle,
            {"processors", false, fmt::format("{} counters are closed to this user", closed), way_to_counters()});
    if (zones.empty())
        add(findings, idle,
            {"processors", false, fmt::format("no counter in '{}', as on most virtual machines", places.powercap),
             kWayWithoutCounters});
}

void survey_gpus(Findings& findings, const EnergyPlaces& places, const EnergyUse& use, const IdlePowers& idle) {
    std::string why;
    const auto nvml = Nvml::load(places.nvml, why);
    const std::size_t before = findings.size();
    for (const Gpu& gpu : nvml ? nvml->gpus() : std::vector<Gpu>()) {
        const auto source = nvidia_gpu_source(nvml, gpu);
        PowerFinding finding{"gpu", false, fmt::format("{}: {}, {}", gpu.index, clean(gpu.name), clean(gpu.uuid))};
        if (!source) finding.text += ", without a counter or a reading of power";
        if (source) finding.key = source->key();
        add(findings, idle, std::move(finding));
    }
    for (const std::string& folder : amd_gpu_folders(places.hwmon)) {
        PowerFinding finding{"gpu", false, fmt::format("amdgpu, '{}'", clean(folder))};
        finding.key = amd_gpu_source(folder)->key();
        add(findings, idle, std::move(finding));
    }
    if (findings.size() > before) return;
    PowerFinding none{"gpu", false, "no counter of one: " + why};
    if (use.device == "cuda")
        none.remedy = {fmt::format("runs on a GPU count as {:g} W each until its driver's library is there",
                                   kEstimatedWattsPerGpu)};
    add(findings, idle, std::move(none));
}

void survey_batteries(Findings& findings, const EnergyPlaces& places, const IdlePowers& idle) {
    const std::vector<std::string> folders = battery_folders(places.power_supply);
    for (const std::string& folder : folders) {
        PowerFinding finding{"battery", false,
                             fmt::format("{}, {}", clean(folder.substr(folder.rfind('/') + 1)),
                                         clean(read_system_file(folder + "/status").text))};
        finding.key = "battery";
        add(findings, idle, std::move(finding));
    }
    if (folders.empty()) add(findings, idle, {"battery", false, "none"});
}

// The first coverage that can tell: that which a run would use.
void mark_those_that_count(Findings& findings, const EnergyPlan& plan) {
    for (const EnergyCoverage& coverage : plan.coverages) {
        bool tells = coverage.sources.empty();
        for (const auto& source : coverage.sources) {
            source->begin();
            if (!source->take(1)) continue;
            tells = true;
            for (PowerFinding& one : findings) one.counts = one.counts || one.key == source->key();
        }
        for (const ConstantPower& constant : tells ? coverage.constants : std::vector<ConstantPower>()) {
            findings.push_back({constant.method == "declared" ? "declared" : "estimate", true,
                                fmt::format("{:g} W for {}", constant.watts, constant.domain)});
        }
        if (tells) return;
    }
}

}  // namespace

std::vector<PowerFinding> survey_power(const EnergyPlaces& places, const EnergyUse& use, const IdlePowers& idle) {
    Findings findings;
    survey_meter(findings, use, idle);
    survey_processors(findings, places, idle);
    survey_gpus(findings, places, use, idle);
    survey_batteries(findings, places, idle);
    for (PowerFinding& one : findings) one.counts = false;
    mark_those_that_count(findings, plan_energy(places, use));
    return findings;
}

}  // namespace cultivar
