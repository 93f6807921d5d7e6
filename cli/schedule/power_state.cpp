#include "cli/schedule/power_state.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "train/energy/system_file.h"

namespace cultivar {
namespace {

constexpr double kMilli = 1e-3, kColdest = -50, kHottest = 150;

std::string first_line(const std::string& path) { return read_system_file(path).text; }

std::vector<std::string> supplies_of(const std::string& folder, bool (*is_one)(const std::string& type)) {
    std::vector<std::string> found;
    for (const std::string& name : names_in(folder)) {
        const std::string one = folder + "/" + name;
        if (is_one(first_line(one + "/type")) && first_line(one + "/scope") != "Device") found.push_back(one);
    }
    return found;
}
std::vector<std::string> batteries(const MachinePlaces& places) {
    return supplies_of(places.power_supply, [](const std::string& type) { return type == "Battery"; });
}

// Millidegrees, which may be below 0; a sensor that is broken tells nonsense.
std::optional<double> degrees_in(const std::string& path) {
    const std::string text = first_line(path);
    int value = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const double degrees = value * kMilli;
    const bool good =
        error == std::errc() && at == text.data() + text.size() && degrees > kColdest && degrees < kHottest;
    return good ? std::optional(degrees) : std::nullopt;
}

std::optional<double> hottest_processor(const std::string& hwmon) {
    constexpr std::array kDrivers = {"coretemp", "k10temp", "zenpower", "cpu_thermal"};
    std::optional<double> hottest;
    for (const std::string& name : names_in(hwmon)) {
        const std::string folder = hwmon + "/" + name;
        if (std::ranges::find(kDrivers, first_line(folder + "/name")) == kDrivers.end()) continue;
        for (const std::string& file : names_in(folder)) {
            if (file.starts_with("temp") && file.ends_with("_input"))
                hottest = std::max(hottest, degrees_in(folder + "/" + file));
        }
    }
    return hottest;
}

}  // namespace

Reading mains(const MachinePlaces& places) {
    const auto adapters =
        supplies_of(places.power_supply, [](const std::string& type) { return type == "Mains" || type == "USB"; });
    const auto is_online = [](const std::string& folder) { return system_number(folder + "/online").value_or(0) > 0; };
    if (std::ranges::any_of(adapters, is_online)) return {1, "", ""};
    const auto packs = batteries(places);
    const bool discharges = std::ranges::any_of(
        packs, [](const std::string& folder) { return first_line(folder + "/status") == "Discharging"; });
    const bool is_unplugged = !adapters.empty() && !packs.empty();
    return {discharges || is_unplugged ? 0.0 : 1.0, "", ""};
}

Reading battery_charge(const MachinePlaces& places) {
    double sum = 0, count = 0;
    for (const std::string& folder : batteries(places)) {
        const auto percent = system_number(folder + "/capacity");
        if (!percent) continue;
        sum += static_cast<double>(std::min<std::uint64_t>(*percent, 100));
        ++count;
    }
    if (count == 0) return {{}, "", "this machine has no battery"};
    return {sum / count, "", ""};
}

Reading temperature(const MachinePlaces& places) {
    std::optional<double> hottest = hottest_processor(places.hwmon);
    if (hottest) return {hottest, "", ""};
    for (const std::string& name : names_in(places.thermal)) {
        if (name.starts_with("thermal_zone"))
            hottest = std::max(hottest, degrees_in(places.thermal + "/" + name + "/temp"));
    }
    if (!hottest) return {{}, "", "this machine has no sensor of it"};
    return {hottest, "", ""};
}

}  // namespace cultivar
