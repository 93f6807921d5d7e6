// A scenario: two routes to one score, each a fleet of machines, for a simulation. Every figure has a source.
//
//   [scenario]   title, repeats, seed, start = "2026-01-05T00:00Z", score (a loss: less is better), longest_days
//   [work]       flops (of a run), spread (deviation of its logarithm), bytes (on the network, of a run), verify_share (of the
//                compute of a run, again); of replayed pools: flops_per_s of the machine that recorded them, where runs of a
//                pool's own command tell no compute
//   [curve]      start, floor, scale_runs, exponent: loss after n runs = floor + (start - floor) (1 + n / scale_runs)^-exponent
//   [replay]     pools = [...]: recorded runs instead of a curve; each pool is a repeat
//   [[machine]]  route = 1 or 2, name, zones = [...], count (in each zone), flops_per_s, active_w, idle_w, error, pue,
//                water_on_site_l_per_kwh, embodied_kg, embodied_low_kg, embodied_high_kg, life_years, bytes_per_s (of its link),
//                hours (a day that it is free), from_hour (UTC), jitter_hours, checkpoint_s, reserved, bought
//   [[factor]]   as in energy.toml; before the user's own and the built-in ones
//
// Each table has its sources beside it: [work.source] flops = "...". The tables `scenario` and `replay`, and count, zones, name,
// route, reserved and bought of a machine, are choices and need none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "energy/factors/factors.h"
#include "pool/util/result.h"

namespace cultivar {

inline constexpr std::size_t kMostScenario_bytes = 1 << 20;
inline constexpr int kMostMachineKinds = 50, kMostMachines = 10'000;

struct ScenarioFigure {
    std::string name{};  // "laptop.active_w"
    double value = 0;
    std::string source{};
};

struct MachineKind {
    int route = 0;  // 0 or 1
    std::string name{};
    std::vector<std::string> zones{};
    int count = 1;  // in each zone
    double flops_per_s = 0, active_w = 0, idle_w = 0;
    double error = 0;  // true joules between j / (1 + error) and j * (1 + error)
    double bytes_per_s = 0;
    double hours = 24, from_hour = 0, jitter_hours = 0;  // of a day, UTC
    double checkpoint_s = 0;                             // an interruption loses as much at most
    double embodied_kg = 0;
    bool is_reserved = false;  // it idles for the route from start to end; else it is the owner's between runs
    bool is_bought = false;

    std::size_t machines() const { return zones.size() * static_cast<std::size_t>(count); }
};

struct Scenario {
    std::string title{};
    int repeats = 1;
    std::uint64_t seed = 1;
    std::int64_t start_s = 0;
    double target_loss = 0, longest_s = 0;
    double flops = 0, spread = 0, bytes = 0, verify_share = 0, recorded_flops_per_s = 0;
    double curve_start = 0, curve_floor = 0, curve_scale_runs = 1, curve_exponent = 1;
    std::vector<std::string> pools{};  // none: the curve
    std::string route_names[2]{};
    std::vector<MachineKind> machines{};
    std::vector<Factor> factors{};  // stated, and those of each kind of machine by "ZONE-name"
    std::vector<ScenarioFigure> figures{};
};

// Errors: usage (a figure without a source, out of range, or an unknown key).
Result<Scenario> parse_scenario(std::string_view toml, const std::string& where);
// Errors: those, not_found, io.
Result<Scenario> read_scenario(const std::string& path);

}  // namespace cultivar
