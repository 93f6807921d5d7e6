// Plays a search on the fleets of a scenario: what each route spends until it has reached the score.
//
// Runs start in their order, each on the machine that is free first. A machine is free for so many hours a day; a run that it
// breaks off goes on where its last checkpoint was. The route ends with the first run that reaches the score: runs under way on
// other machines are broken off and counted. A run is worth the same wherever it is made and however many are under way.
#pragma once

#include <span>

#include "energy/compare/arm.h"
#include "energy/simulate/scenario.h"

namespace cultivar {

struct TraceRun {
    double flops = 0, bytes = 0;
    std::optional<double> verified_loss{};
};
using Trace = std::vector<TraceRun>;

// The runs of one search by the scenario's curve: the n-th draws its compute and its progress (Exp(1), so that n runs make n
// steps on average). Goes on after the score is reached for
// as many runs as there are machines; at most 100,000 runs. `seed` alone decides.
Trace trace_of_curve(const Scenario& scenario, std::uint64_t seed);

// One route (0 or 1) through a trace. Deterministic in the seed.
Repeat play(const Scenario& scenario, int route, std::span<const TraceRun> trace, std::uint64_t seed);

// Both routes; repeats are pairs, since they share the trace. `traces`: recorded ones, each a repeat; none: the curve's.
struct SimulatedRoutes {
    Arm arms[2]{};
};
SimulatedRoutes simulate(const Scenario& scenario, const std::vector<Trace>& traces);

}  // namespace cultivar
