// Fuzzes the scenarios of simulations, which people hand to each other.
#include "energy/simulate/scenario.h"
#include "tests/fuzz/input.h"

using namespace cultivar;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto scenario = parse_scenario(text_of(data, size), "input");
    if (!scenario) return 0;
    std::size_t machines = 0;
    for (const MachineKind& one : scenario->machines) {
        demand(one.flops_per_s > 0 && one.active_w >= one.idle_w && one.bytes_per_s > 0 && one.hours > 0);
        machines += one.zones.size() * static_cast<std::size_t>(one.count);
    }
    demand(machines <= static_cast<std::size_t>(kMostMachines) && scenario->repeats >= 1);
    for (const ScenarioFigure& one : scenario->figures) demand(!one.source.empty());
    return 0;
}
