#include "train/launch/energy_meter.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace cultivar {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> read_number(const fs::path& path) {
    std::ifstream file(path);
    std::uint64_t number = 0;
    if (file >> number) return number;
    return std::nullopt;
}

// A package's counter includes its cores and graphics but not its memory. "psys" includes the packages and is not
// counted.
bool counts(const fs::path& zone) {
    std::string name;
    std::ifstream(zone / "name") >> name;
    return name.starts_with("package") || name == "dram";
}

}  // namespace

EnergyMeter::EnergyMeter(const Clock& clock, int threads, std::optional<double> declared_watts,
                         const std::string& powercap)
    : clock_(clock),
      fallback_watts_(declared_watts.value_or(kEstimatedWattsPerThread * threads)),
      declared_(declared_watts.has_value()) {
    std::error_code ignored;
    for (fs::directory_iterator zone(powercap, ignored), end; !ignored && zone != end; zone.increment(ignored)) {
        if (!zone->path().filename().string().starts_with("intel-rapl:") || !counts(zone->path())) continue;
        const fs::path energy = zone->path() / "energy_uj";
        const auto range = read_number(zone->path() / "max_energy_range_uj");
        if (range && read_number(energy)) counters_.push_back({energy.string(), *range, 0});
    }
}

void EnergyMeter::start() {
    microjoules_ = 0;
    for (Counter& counter : counters_) counter.last = read_number(counter.path).value_or(counter.last);
    started_s_ = clock_.now_s();
}

void EnergyMeter::poll() {
    for (Counter& counter : counters_) {
        const auto now = read_number(counter.path);
        if (!now) continue;
        const std::uint64_t wrap = *now < counter.last ? counter.range : 0;
        microjoules_ += static_cast<double>(*now + wrap - counter.last);
        counter.last = *now;
    }
}

EnergyMeter::Spent EnergyMeter::spent() {
    poll();
    const double seconds = clock_.now_s() - started_s_;
    const double joules = measures() ? microjoules_ / 1e6 - idle_watts_ * seconds : fallback_watts_ * seconds;
    return {joules, seconds};
}

Energy EnergyMeter::stop() {
    last_ = spent();
    Energy energy;
    energy.joules = std::max(0.0, last_.joules);
    energy.idle_watts = idle_watts_;
    energy.method = measures() ? "rapl" : declared_ ? "declared" : "estimated";
    return energy;
}

void EnergyMeter::learn_idle() {
    if (measures() && last_.seconds > 0) idle_watts_ = microjoules_ / 1e6 / last_.seconds;
}

}  // namespace cultivar
