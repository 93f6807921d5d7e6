#include "train/energy/idle_power.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pool/types/energy.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "pool/util/utc_time.h"
#include "train/energy/system_file.h"

namespace cultivar {
namespace {

using IdleJson = nlohmann::ordered_json;

constexpr double kMostBusy = 0.05;
constexpr std::size_t kMostIdleFile_bytes = 64 * 1024;

struct ProcessorTicks {
    double busy = 0, all = 0;
};

// The first line of /proc/stat: "cpu user nice system idle iowait irq softirq steal ...".
std::optional<ProcessorTicks> processor_ticks(const std::string& proc_stat) {
    std::istringstream fields(read_system_file(proc_stat).text);
    std::string word;
    fields >> word;
    if (word != "cpu") return std::nullopt;
    ProcessorTicks ticks;
    double one = 0;
    for (int i = 0; i < 8 && fields >> one; ++i) {
        const bool is_idle = i == 3 || i == 4;
        ticks.all += one;
        if (!is_idle) ticks.busy += one;
    }
    return ticks;
}

bool was_idle(const std::optional<ProcessorTicks>& before, const std::optional<ProcessorTicks>& after) {
    if (!before || !after || after->all <= before->all) return false;
    return (after->busy - before->busy) / (after->all - before->all) <= kMostBusy;
}

void take_least(const std::string& key, const IdlePower& power, IdlePowers& powers) {
    const auto [known, is_new] = powers.emplace(key, power);
    const bool is_old = !is_new && power.at_unix_s - known->second.at_unix_s >= kIdleLasts_s;
    if (is_old || power.watts < known->second.watts) known->second = power;
}

}  // namespace

std::string idle_file(const std::string& state_folder, const std::string& machine_id_file) {
    constexpr std::size_t kDigits = 16;
    std::string machine = read_system_file(machine_id_file).text;
    if (machine.empty()) {
        std::array<char, 256> host{};
        ::gethostname(host.data(), host.size() - 1);
        machine = host.data();
    }
    return fmt::format("{}/idle-{}.json", state_folder, sha256_hex("cultivar idle " + machine).substr(0, kDigits));
}

IdlePowers read_idle_powers(const std::string& path) {
    IdlePowers powers;
    const auto text = read_file(path, kMostIdleFile_bytes);
    if (!text) return powers;
    const IdleJson json = IdleJson::parse(*text, nullptr, false);
    if (!json.is_object()) return powers;
    for (const auto& [key, one] : json.items()) {
        if (!one.is_object() || !one.contains("watts") || !one["watts"].is_number()) continue;
        if (!one.contains("at") || !one["at"].is_string()) continue;
        const auto at = parse_utc(one["at"].get<std::string>());
        const double watts = one["watts"].get<double>();
        if (at && std::isfinite(watts) && watts >= 0 && watts <= kMostPower_w) powers[key] = {watts, *at};
    }
    return powers;
}

Result<void> write_idle_powers(const std::string& path, const IdlePowers& powers) {
    IdleJson json = IdleJson::object();
    for (const auto& [key, power] : powers) json[key] = {{"watts", power.watts}, {"at", utc_text(power.at_unix_s)}};
    TRY(make_folder_of(path));
    return write_file_atomically(path, json.dump(2, ' ', false, IdleJson::error_handler_t::replace) + "\n");
}

bool are_known(const IdlePowers& powers, const std::vector<std::shared_ptr<EnergySource>>& sources,
               std::int64_t now_unix_s) {
    return std::ranges::all_of(sources, [&](const auto& source) {
        const auto known = powers.find(source->key());
        return known != powers.end() && now_unix_s - known->second.at_unix_s < kIdleLasts_s;
    });
}

bool measure_idle(const Clock& clock, const std::vector<std::shared_ptr<EnergySource>>& sources,
                  const std::string& proc_stat, const std::function<bool()>& stop, IdlePowers& powers) {
    bool counted = false;
    for (const auto& source : sources) source->begin();
    auto ticks = processor_ticks(proc_stat);
    double begun_s = clock.now_s();
    for (int window = 0; window < kIdleWindows && !(stop && stop()); ++window) {
        clock.sleep_s(kIdleWindow_s);
        const double now_s = clock.now_s(), seconds = now_s - std::exchange(begun_s, now_s);
        const auto before = std::exchange(ticks, processor_ticks(proc_stat));
        const bool counts = seconds > 0 && was_idle(before, ticks);
        for (const auto& source : sources) {
            const auto joules = source->take(seconds);
            if (counts && joules) take_least(source->key(), {*joules / seconds, clock.unix_s()}, powers);
        }
        counted = counted || counts;
    }
    return counted;
}

}  // namespace cultivar
