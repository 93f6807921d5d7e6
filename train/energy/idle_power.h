// The idle power of this machine: the least mean power of several windows in which it was idle, kept with its date for each
// source in the user's state folder, in a file per machine.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pool/util/clock.h"
#include "pool/util/result.h"
#include "train/energy/energy_source.h"

namespace cultivar {

struct IdlePower {
    double watts = 0;
    std::int64_t at_unix_s = 0;
};
using IdlePowers = std::map<std::string, IdlePower>;  // by the key of the source

inline constexpr int kIdleWindows = 5;
inline constexpr double kIdleWindow_s = 1;
inline constexpr std::int64_t kIdleLasts_s = 30 * 86'400;  // measured again after that

// <folder>/idle-MACHINE.json. MACHINE is 16 digits of SHA-256 of /etc/machine-id, or of the host's name without one.
std::string idle_file(const std::string& state_folder, const std::string& machine_id_file = "/etc/machine-id");

// None that can be read: an empty map. Changes nothing.
IdlePowers read_idle_powers(const std::string& path);
Result<void> write_idle_powers(const std::string& path, const IdlePowers& powers);
// Does every source have a figure that is younger than kIdleLasts_s?
bool are_known(const IdlePowers& powers, const std::vector<std::shared_ptr<EnergySource>>& sources,
               std::int64_t now_unix_s);

// Looks at the sources for kIdleWindows windows and takes the least power of each into `powers`. Windows in which the
// processors were busy for more than 5 % of the time (/proc/stat) do not count. False: none counted.
bool measure_idle(const Clock& clock, const std::vector<std::shared_ptr<EnergySource>>& sources,
                  const std::string& proc_stat, const std::function<bool()>& stop, IdlePowers& powers);

}  // namespace cultivar
