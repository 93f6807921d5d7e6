#include "energy/simulate/scenario.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "energy/series/grid_time.h"
#include "pool/util/file.h"
#include "pool/util/toml_table.h"

namespace cultivar {
namespace {

constexpr double kLongDay_s = 86'400, kMostFigure = 1e30;
constexpr int kMostRepeatsSimulated = 1'000;
constexpr std::size_t kMostSource_bytes = 300, kMostName_bytes = 24, kMostZones = 50, kMostPools = 200;

struct Limits {
    double least = 0, most = kMostFigure;
};

class ScenarioReader {
public:
    ScenarioReader(TomlTable& table, Scenario& scenario) : table_(table), scenario_(scenario) {}
    Result<void> read();

private:
    Result<void> read_head();
    Result<void> read_work();
    Result<void> read_machine(const std::string& at);
    Result<void> read_machine_factors(const std::string& at, const MachineKind& machine);
    Result<void> read_stated_factors();
    // A figure with its source; `into` keeps its value where the key is missing and `required` is false.
    Result<void> figure(const std::string& at, const std::string& key, double& into, bool required, Limits limits = {});
    Result<void> words(const std::string& key, std::vector<std::string>& into, std::size_t most);
    Error wrong(const std::string& what) const { return {Code::usage, table_.where() + ": " + what, ""}; }
    void add_factor(FactorKind kind, const std::string& zone, const char* unit, const Range& range, double life_years,
                    const std::string& source);

    TomlTable& table_;
    Scenario& scenario_;
    std::string prefix_{};  // of figures' names
};

Result<void> ScenarioReader::figure(const std::string& at, const std::string& key, double& into, bool required,
                                    Limits limits) {
    const TomlEntry* entry = table_.take(at + key);
    TRY(table_.read(at + key, into, required));
    std::string source;
    TRY(table_.read(at + "source." + key, source));
    if (!entry) return {};
    if (!(into >= limits.least && into <= limits.most))
        return fail(table_.wrong(*entry, fmt::format("'{}' is out of range", key)));
    if (source.empty() || source.size() > kMostSource_bytes)
        return fail(table_.wrong(*entry, fmt::format("'{}' has no source of one line", key)));
    scenario_.figures.push_back({prefix_ + key, into, clean(source, kMostSource_bytes)});
    return {};
}

Result<void> ScenarioReader::words(const std::string& key, std::vector<std::string>& into, std::size_t most) {
    const TomlEntry* entry = table_.take(key);
    if (!entry) return {};
    for (const Value& value : entry->values) {
        const auto* word = std::get_if<std::string>(&value);
        if (!word || word->empty() || into.size() >= most)
            return fail(table_.wrong(*entry, fmt::format("'{}' takes at most {} words", key, most)));
        into.push_back(*word);
    }
    return {};
}

Result<void> ScenarioReader::read_head() {
    double seed = 1, days = 3650;
    std::string start;
    TRY(table_.read("scenario.title", scenario_.title, true));
    TRY(table_.read("scenario.repeats", scenario_.repeats, true));
    TRY(table_.read("scenario.seed", seed));
    TRY(table_.read("scenario.start", start, true));
    TRY(table_.read("scenario.score", scenario_.target_loss, true));
    TRY(table_.read("scenario.longest_days", days));
    TRY(table_.read("scenario.first", scenario_.route_names[0], true));
    TRY(table_.read("scenario.second", scenario_.route_names[1], true));
    scenario_.seed = seed >= 0 && seed < 1e15 ? static_cast<std::uint64_t>(seed) : 0;
    scenario_.longest_s = std::clamp(days, 0.0, 36'500.0) * kLongDay_s;
    const auto moment = parse_grid_time(start);
    if (!moment) return fail(wrong("'scenario.start' is no time such as 2026-01-05T00:00Z"));
    scenario_.start_s = *moment;
    if (scenario_.repeats < 1 || scenario_.repeats > kMostRepeatsSimulated)
        return fail(wrong(fmt::format("'scenario.repeats' is not between 1 and {}", kMostRepeatsSimulated)));
    return {};
}

Result<void> ScenarioReader::read_work() {
    TRY(words("replay.pools", scenario_.pools, kMostPools));
    const bool by_curve = scenario_.pools.empty();
    prefix_ = "work.";
    TRY(figure("work.", "flops", scenario_.flops, by_curve, {1}));
    TRY(figure("work.", "spread", scenario_.spread, false, {0, 3}));
    TRY(figure("work.", "bytes", scenario_.bytes, true));
    TRY(figure("work.", "verify_share", scenario_.verify_share, true, {0, 100}));
    TRY(figure("work.", "flops_per_s", scenario_.recorded_flops_per_s, false, {1}));
    if (!by_curve) return {};
    prefix_ = "curve.";
    TRY(figure("curve.", "start", scenario_.curve_start, true, {-kMostFigure}));
    TRY(figure("curve.", "floor", scenario_.curve_floor, true, {-kMostFigure}));
    TRY(figure("curve.", "scale_runs", scenario_.curve_scale_runs, true, {1e-3}));
    TRY(figure("curve.", "exponent", scenario_.curve_exponent, true, {1e-3, 10}));
    if (!(scenario_.curve_floor < scenario_.target_loss && scenario_.target_loss < scenario_.curve_start))
        return fail(wrong("'scenario.score' does not lie between the curve's floor and its start"));
    return {};
}

void ScenarioReader::add_factor(FactorKind kind, const std::string& zone, const char* unit, const Range& range,
                                double life_years, const std::string& source) {
    scenario_.factors.push_back({.kind = kind,
                                 .zone = zone,
                                 .unit = unit,
                                 .range = range,
                                 .life_years = life_years,
                                 .source = source,
                                 .stated_in = table_.where()});
}

// Figures of a kind of machine that accounting takes for factors of its zones.
Result<void> ScenarioReader::read_machine_factors(const std::string& at, const MachineKind& machine) {
    double pue = 1, water = 0, kg = 0, low = 0, high = 0, years = 0;
    TRY(figure(at, "pue", pue, true, {1, 10}));
    TRY(figure(at, "water_on_site_l_per_kwh", water, true, {0, 1000}));
    TRY(figure(at, "embodied_kg", kg, true, {0, 1e9}));
    low = high = kg;
    TRY(figure(at, "embodied_low_kg", low, false, {0, kg}));
    TRY(figure(at, "embodied_high_kg", high, false, {kg, 1e9}));
    TRY(figure(at, "life_years", years, true, {0.1, 100}));
    const auto source = [&](const char* key) {
        const auto found = std::ranges::find(scenario_.figures, prefix_ + key, &ScenarioFigure::name);
        return found == scenario_.figures.end() ? "" : found->source;
    };
    for (const std::string& zone : machine.zones) {
        const std::string place = zone + "-" + machine.name;
        add_factor(FactorKind::pue, place, "", Range::exactly(pue), 0, source("pue"));
        add_factor(FactorKind::water_on_site, place, "L/kWh", Range::exactly(water), 0,
                   source("water_on_site_l_per_kwh"));
        if (kg > 0) add_factor(FactorKind::embodied, place, "kg", {kg, low, high}, years, source("embodied_kg"));
    }
    return {};
}

Result<void> ScenarioReader::read_machine(const std::string& at) {
    MachineKind machine;
    TRY(table_.read(at + "route", machine.route, true));
    TRY(table_.read(at + "name", machine.name, true));
    TRY(table_.read(at + "count", machine.count, true));
    TRY(table_.read(at + "reserved", machine.is_reserved));
    TRY(table_.read(at + "bought", machine.is_bought));
    TRY(words(at + "zones", machine.zones, kMostZones));
    --machine.route;
    const bool plain = !machine.name.empty() && machine.name.size() <= kMostName_bytes &&
                       machine.name == clean(machine.name, kMostName_bytes);
    const auto is_taken = [&](const MachineKind& one) { return one.name == machine.name; };
    if (!plain || std::ranges::any_of(scenario_.machines, is_taken) || machine.route < 0 || machine.route > 1 ||
        machine.zones.empty() || machine.count < 1 || machine.count > kMostMachines)
        return fail(wrong(fmt::format("'{}' needs a name of its own, route 1 or 2, zones and a count", at)));
    prefix_ = machine.name + ".";
    TRY(figure(at, "flops_per_s", machine.flops_per_s, true, {1}));
    TRY(figure(at, "active_w", machine.active_w, true, {1e-3, 1e9}));
    TRY(figure(at, "idle_w", machine.idle_w, true, {0, machine.active_w}));
    TRY(figure(at, "error", machine.error, true, {0, 100}));
    TRY(figure(at, "bytes_per_s", machine.bytes_per_s, true, {1}));
    TRY(figure(at, "hours", machine.hours, true, {0.1, 24}));
    TRY(figure(at, "from_hour", machine.from_hour, false, {0, 24}));
    TRY(figure(at, "jitter_hours", machine.jitter_hours, false, {0, 24}));
    TRY(figure(at, "checkpoint_s", machine.checkpoint_s, machine.hours < 24, {0, 1e7}));
    TRY(read_machine_factors(at, machine));
    const auto kg = std::ranges::find(scenario_.figures, prefix_ + "embodied_kg", &ScenarioFigure::name);
    machine.embodied_kg = kg->value;
    scenario_.machines.push_back(std::move(machine));
    return {};
}

Result<void> ScenarioReader::read_stated_factors() {
    for (int i = 0; i < kMostStatedFactors; ++i) {
        const std::string at = fmt::format("factor.{}.", i);
        if (!table_.take(at + "quantity")) break;
        TRY_ASSIGN(const StatedFactor stated, read_stated_factor(table_, at));
        TRY_ASSIGN(Factor factor, constant_factor(stated, table_.where()));
        scenario_.factors.push_back(std::move(factor));
    }
    return {};
}

Result<void> ScenarioReader::read() {
    TRY(read_head());
    TRY(read_work());
    std::size_t machines = 0;
    for (int i = 0; i < kMostMachineKinds; ++i) {
        const std::string at = fmt::format("machine.{}.", i);
        if (!table_.take(at + "name")) break;
        TRY(read_machine(at));
        machines += scenario_.machines.back().machines();
    }
    for (const int route : {0, 1}) {
        if (std::ranges::count(scenario_.machines, route, &MachineKind::route) == 0)
            return fail(wrong(fmt::format("route {} has no machine", route + 1)));
    }
    if (machines > kMostMachines) return fail(wrong(fmt::format("more than {} machines", kMostMachines)));
    TRY(read_stated_factors());
    return table_.finish();
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view toml, const std::string& where) {
    TRY_ASSIGN(std::vector<TomlEntry> entries, read_toml(toml, where, kMostScenario_bytes));
    TomlTable table(std::move(entries), where);
    Scenario scenario;
    TRY(ScenarioReader(table, scenario).read());
    return scenario;
}

Result<Scenario> read_scenario(const std::string& path) {
    TRY_ASSIGN(const std::string text, read_file(path, kMostScenario_bytes));
    return parse_scenario(text, path);
}

}  // namespace cultivar
