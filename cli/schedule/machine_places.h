// Where this machine tells of its users and of itself; tests have their own folders.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>
#include <unistd.h>

namespace cultivar {

struct MachinePlaces {
    std::string power_supply = "/sys/class/power_supply";
    std::string hwmon = "/sys/class/hwmon";
    std::string thermal = "/sys/class/thermal";
    std::string proc = "/proc";
    std::string dev = "/dev";
    std::string sessions = "/run/systemd/sessions";
    std::string nvml = "libnvidia-ml.so.1";
    // The answer of logind on a session's IdleHint and IdleSinceHint, as `loginctl show-session` prints them; none: it does
    // not answer. Empty: the program is asked.
    std::function<std::optional<std::string>(const std::string& session)> idle_hint{};
    pid_t self = ::getpid();
};

}  // namespace cultivar
