#include "cli/commands/simulated.h"

#include <filesystem>

#include <fmt/format.h>

#include "cli/commands/pools.h"
#include "cli/compare/arm_loader.h"
#include "energy/simulate/simulate.h"

namespace cultivar {
namespace {

// The runs of a pool in the order in which they ended, with their compute.
Result<Trace> trace_of_pool(Pools& pools, const std::string& folder, const Scenario& scenario) {
    TRY_ASSIGN(Session * session, pools.at(folder));
    const bool has_compute = !session->clone->task.command;
    TRY_ASSIGN(const Repeat repeat, load_repeat(*session->index, {.text = folder}, has_compute));
    Trace trace;
    for (const SpentRun& run : repeat.runs) {
        const double seconds = static_cast<double>(run.end_s - run.start_s);
        const double flops = run.flops ? *run.flops : seconds * scenario.recorded_flops_per_s;
        if (!run.flops && scenario.recorded_flops_per_s <= 0)
            return fail(Code::usage, fmt::format("the runs of pool '{}' tell no compute", clean(folder)),
                        "[work] flops_per_s = ...");
        trace.push_back({flops, scenario.bytes, run.verified_loss});
    }
    return trace;
}

}  // namespace

Result<Simulated> simulated_report(Context& context, const std::string& file) {
    TRY_ASSIGN(const Scenario scenario, read_scenario(file));
    Pools pools(context);
    const std::filesystem::path beside = std::filesystem::path(file).parent_path();
    std::vector<Trace> traces;
    for (const std::string& pool : scenario.pools) {
        TRY_ASSIGN(Trace trace, trace_of_pool(pools, (beside / pool).string(), scenario));
        traces.push_back(std::move(trace));
    }
    SimulatedRoutes routes = simulate(scenario, traces);
    Simulated simulated;
    CompareReport& report = simulated.report;
    for (const std::size_t arm : {0, 1}) report.arms[arm] = std::move(routes.arms[arm]);
    TRY_ASSIGN(Factors factors, known_factors(scenario.factors));
    simulated.factors = std::make_unique<const Factors>(std::move(factors));
    TRY_ASSIGN(report.comparison, compare_arms(report.arms[0], report.arms[1],
                                               {TargetKind::score, scenario.target_loss}, *simulated.factors));
    report.metric = "loss";
    report.notes.push_back(fmt::format("simulated: {}; no figure of this table was measured", clean(scenario.title)));
    for (const ScenarioFigure& one : scenario.figures)
        report.notes.push_back(fmt::format("{} = {:g}: {}", one.name, one.value, one.source));
    return simulated;
}

}  // namespace cultivar
