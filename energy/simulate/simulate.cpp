#include "energy/simulate/simulate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <queue>

#include <fmt/format.h>

#include "pool/util/split_mix.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostTrace = 100'000;
constexpr double kDay_s = 86'400, kHour_s = 3'600;
constexpr double kNothing_s = 1e-3;  // a rest that rounding leaves
constexpr int kMostPieces = 10'000;  // of one run

// In (0, 1].
double uniform(std::uint64_t& state) { return (static_cast<double>(splitmix64(state) >> 11) + 1) * 0x1p-53; }

double normal(std::uint64_t& state) {
    const double radius = std::sqrt(-2 * std::log(uniform(state)));
    return radius * std::cos(2 * std::numbers::pi * uniform(state));
}

struct Piece {  // of a run on its machine, in seconds since the start
    double start_s = 0, end_s = 0;
};

struct FleetMachine {
    const MachineKind* kind = nullptr;
    std::string zone{};  // "GB-laptop"
    double from_s = 0;   // of a day
    double busy_s = 0;   // until the route ends
    std::uint64_t draws = 0;

    bool is_always_free() const { return kind->hours >= 24; }
    // The first moment from `at_s` on at which it is free, and the end of that stretch.
    Piece free_from(double at_s) const {
        if (is_always_free()) return {at_s, std::numeric_limits<double>::infinity()};
        const double length_s = kind->hours * kHour_s;
        double start_s = std::floor((at_s - from_s) / kDay_s) * kDay_s + from_s;
        if (at_s >= start_s + length_s) start_s += kDay_s;
        return {std::max(at_s, start_s), start_s + length_s};
    }
};

struct PlayedRun {
    std::size_t number = 0, machine = 0;
    double transfer_s = 0, search_share = 1;  // of its work
    bool is_done = true;                      // false: its machine is never free for long enough
    std::vector<Piece> pieces{};
    double end_s() const { return pieces.back().end_s; }
};

class Route {
public:
    Route(const Scenario& scenario, int route, std::span<const TraceRun> trace, std::uint64_t seed)
        : scenario_(scenario), trace_(trace) {
        for (const MachineKind& kind : scenario.machines) {
            if (kind.route == route) add(kind, seed);
        }
    }

    Repeat play() {
        schedule();
        Repeat repeat;
        for (PlayedRun& run : runs_) {
            if (run.pieces.front().start_s < end_s_) repeat.runs.push_back(spent(run));
        }
        std::ranges::stable_sort(repeat.runs, {}, &SpentRun::end_s);
        // Of all that end with the route, the run that reached the score is the last.
        std::stable_partition(repeat.runs.begin(), repeat.runs.end(),
                              [&](const SpentRun& run) { return !is_goal(run.verified_loss); });
        if (!repeat.runs.empty()) add_idle(repeat.runs.back());
        return repeat;
    }

private:
    bool is_goal(const std::optional<double>& loss) const { return loss && *loss <= scenario_.target_loss; }
    void add(const MachineKind& kind, std::uint64_t seed);
    void schedule();
    PlayedRun start(std::size_t number, std::size_t machine, double at_s);
    SpentRun spent(const PlayedRun& run);
    SpentUse use_on(const FleetMachine& machine, Piece piece, double active_s, Purpose purpose) const;
    void add_idle(SpentRun& last);

    const Scenario& scenario_;
    std::span<const TraceRun> trace_;
    std::vector<FleetMachine> machines_{};
    std::vector<PlayedRun> runs_{};
    double end_s_ = std::numeric_limits<double>::infinity();
};

void Route::add(const MachineKind& kind, std::uint64_t seed) {
    for (const std::string& zone : kind.zones) {
        for (int i = 0; i < kind.count; ++i) {
            FleetMachine machine{.kind = &kind, .zone = zone + "-" + kind.name};
            machine.draws = seed + machines_.size() * 0x9e37'79b9ULL;
            const double jitter_h = kind.jitter_hours * (2 * uniform(machine.draws) - 1);
            machine.from_s = (kind.from_hour + jitter_h) * kHour_s;
            machines_.push_back(std::move(machine));
        }
    }
}

PlayedRun Route::start(std::size_t number, std::size_t at, double at_s) {
    FleetMachine& machine = machines_[at];
    const TraceRun& work = trace_[number];
    PlayedRun run{.number = number, .machine = at};
    run.transfer_s = work.bytes / machine.kind->bytes_per_s;
    run.search_share = 1 / (1 + scenario_.verify_share);
    double left_s = work.flops * (1 + scenario_.verify_share) / machine.kind->flops_per_s + run.transfer_s;
    for (int pieces = 0; left_s > kNothing_s && pieces < kMostPieces; ++pieces) {
        const Piece free = machine.free_from(at_s);
        const double end_s = std::min(free.end_s, free.start_s + left_s);
        run.pieces.push_back({free.start_s, end_s});
        left_s -= end_s - free.start_s;
        if (left_s > kNothing_s)
            left_s += std::min(machine.kind->checkpoint_s, end_s - free.start_s) * uniform(machine.draws);
        at_s = end_s;
    }
    run.is_done = left_s <= kNothing_s;
    return run;
}

void Route::schedule() {
    using Free = std::pair<double, std::size_t>;  // when, and which machine
    std::priority_queue<Free, std::vector<Free>, std::greater<>> free;
    for (std::size_t i = 0; i < machines_.size(); ++i) free.emplace(machines_[i].free_from(0).start_s, i);
    end_s_ = scenario_.longest_s;
    for (std::size_t number = 0; number < trace_.size(); ++number) {
        const auto [at_s, machine] = free.top();
        if (at_s >= end_s_) break;
        free.pop();
        runs_.push_back(start(number, machine, at_s));
        const PlayedRun& run = runs_.back();
        if (run.is_done && is_goal(trace_[number].verified_loss)) end_s_ = std::min(end_s_, run.end_s());
        free.emplace(machines_[machine].free_from(run.end_s()).start_s, machine);
    }
    double last_s = 0;
    for (const PlayedRun& run : runs_) last_s = std::max(last_s, run.end_s());
    end_s_ = std::min(end_s_, last_s);
}

SpentUse Route::use_on(const FleetMachine& machine, Piece piece, double active_s, Purpose purpose) const {
    SpentUse use{.purpose = purpose, .method = "simulated", .meter = "simulated at " + machine.kind->name};
    EnergyStretch& stretch = use.stretch;
    const double length_s = piece.end_s - piece.start_s;
    stretch.zone = machine.zone;
    stretch.start_s = scenario_.start_s + static_cast<std::int64_t>(piece.start_s);
    stretch.length_s = kQuarter_s * std::max<std::int64_t>(1, std::llround(length_s / static_cast<double>(kQuarter_s)));
    const double above = (machine.kind->active_w - machine.kind->idle_w) * active_s;
    stretch.joules[kAboveIdle] = Range::within(above, machine.kind->error);
    stretch.joules[kGross] = Range::within(above + machine.kind->idle_w * length_s, machine.kind->error);
    stretch.machine_s = length_s;
    return use;
}

// A run that is under way when the route ends is broken off.
SpentRun Route::spent(const PlayedRun& run) {
    FleetMachine& machine = machines_[run.machine];
    const TraceRun& work = trace_[run.number];
    const bool is_whole = run.is_done && run.end_s() <= end_s_;
    SpentRun spent;
    double wait_s = run.transfer_s;
    for (Piece piece : run.pieces) {
        piece.end_s = std::min(piece.end_s, end_s_);
        const double length_s = piece.end_s - piece.start_s;
        if (length_s <= 0) break;
        const double idle_s = std::min(wait_s, length_s);
        wait_s -= idle_s;
        machine.busy_s += length_s;
        SpentUse search = use_on(machine, piece, length_s - idle_s, Purpose::search);
        SpentUse verification = search;
        verification.purpose = Purpose::verification;
        for (const MachineAxis axis : {kAboveIdle, kGross}) {
            search.stretch.joules[axis] = search.stretch.joules[axis] * run.search_share;
            verification.stretch.joules[axis] = verification.stretch.joules[axis] * (1 - run.search_share);
        }
        search.stretch.machine_s *= run.search_share, verification.stretch.machine_s *= 1 - run.search_share;
        spent.uses.push_back(std::move(search));
        if (run.search_share < 1) spent.uses.push_back(std::move(verification));
        spent.end_s = scenario_.start_s + std::llround(piece.end_s);
    }
    spent.start_s = scenario_.start_s + std::llround(run.pieces.front().start_s);
    SpentUse network{.purpose = Purpose::network, .bytes = work.bytes};
    network.stretch.zone = machine.zone, network.stretch.start_s = spent.start_s;
    if (work.bytes > 0) spent.uses.push_back(std::move(network));
    if (is_whole) spent.verified_loss = work.verified_loss;
    const double whole_s = work.flops / machine.kind->flops_per_s;
    double active_s = 0;
    for (const SpentUse& use : spent.uses) active_s += use.purpose == Purpose::search ? use.stretch.machine_s : 0;
    spent.flops = is_whole ? work.flops : work.flops * std::min(1.0, active_s / whole_s);
    return spent;
}

// A reserved machine draws its idle power whenever it has no run.
void Route::add_idle(SpentRun& last) {
    for (const FleetMachine& machine : machines_) {
        if (!machine.kind->is_reserved) continue;
        const double idle_s = end_s_ - machine.busy_s;
        if (idle_s <= 0) continue;
        SpentUse use = use_on(machine, {0, end_s_}, 0, Purpose::search);
        use.stretch.joules[kGross] = use.stretch.joules[kGross] * (idle_s / end_s_);
        use.stretch.machine_s = idle_s;
        last.uses.push_back(std::move(use));
    }
}

std::size_t machines_of(const Scenario& scenario) {
    std::size_t machines = 0;
    for (const MachineKind& one : scenario.machines) machines += one.machines();
    return machines;
}

double bought_kg(const Scenario& scenario, int route) {
    double kg = 0;
    for (const MachineKind& one : scenario.machines) {
        if (one.route == route && one.is_bought) kg += one.embodied_kg * static_cast<double>(one.machines());
    }
    return kg;
}

}  // namespace

Trace trace_of_curve(const Scenario& scenario, std::uint64_t seed) {
    std::uint64_t state = seed;
    Trace trace;
    double steps = 0;
    // Machines that are free while the goal is under way do not wait for it.
    std::size_t further = machines_of(scenario);
    while (trace.size() < kMostTrace) {
        steps -= std::log(uniform(state));
        const double span = scenario.curve_start - scenario.curve_floor;
        const double loss =
            scenario.curve_floor + span * std::pow(1 + steps / scenario.curve_scale_runs, -scenario.curve_exponent);
        // The mean of a lognormal is exp(spread^2 / 2) times its median.
        const double luck = std::exp(scenario.spread * normal(state) - scenario.spread * scenario.spread / 2);
        trace.push_back({scenario.flops * luck, scenario.bytes, loss});
        if (loss <= scenario.target_loss && further-- == 0) break;
    }
    return trace;
}

Repeat play(const Scenario& scenario, int route, std::span<const TraceRun> trace, std::uint64_t seed) {
    return Route(scenario, route, trace, seed).play();
}

SimulatedRoutes simulate(const Scenario& scenario, const std::vector<Trace>& traces) {
    SimulatedRoutes both;
    const std::size_t repeats = traces.empty() ? static_cast<std::size_t>(scenario.repeats) : traces.size();
    for (const int route : {0, 1}) {
        Arm& arm = both.arms[route];
        arm.name = scenario.route_names[route];
        arm.task = arm.scoring = scenario.title;
        arm.bought_kg = bought_kg(scenario, route);
        for (std::size_t i = 0; i < repeats; ++i) {
            std::uint64_t state = scenario.seed + i;
            const std::uint64_t seed = splitmix64(state);
            Repeat repeat = play(scenario, route, traces.empty() ? trace_of_curve(scenario, seed) : traces[i], seed);
            repeat.name = repeat.seed = std::to_string(i + 1);
            arm.repeats.push_back(std::move(repeat));
        }
    }
    return both;
}

}  // namespace cultivar
