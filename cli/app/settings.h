// Settings in layers: a flag wins over the environment, then the clone's git configuration, then the user's file, then
// the default. Each value knows its origin, and `cultivar status` shows it.
//   environment         CULTIVAR_NAME, CULTIVAR_MACHINE, CULTIVAR_THREADS, CULTIVAR_DEVICE, CULTIVAR_WATTS,
//                       CULTIVAR_ZONE, CULTIVAR_POWER_COMMAND, CULTIVAR_POWER_ERROR, CULTIVAR_LM
//   pool                git config of the clone: cultivar.threads, cultivar.watts, ...
//   user configuration  $XDG_CONFIG_HOME/cultivar/config.toml (or ~/.config), with the same keys in lower case
// Everything is parsed once, in load(). Name and machine are fixed when init or clone write them to the clone's git
// config: a journal has one name.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

template <class T>
struct Setting {
    T value{};
    std::string origin = "default";  // "flag", "environment", "pool", a file's path or "default"

    bool is_default() const { return origin == "default"; }
};

struct Settings {
    Setting<std::string> name, machine;  // "": not set
    Setting<int> threads;                // 1 to 1024; default: the processors this process may use
    Setting<std::string> device{"cpu"};  // "cpu", "cuda" or "mps"
    std::string device_number;           // of "cuda:1" the "1"; "": whichever the program takes
    int jobs = 1;                        // runs that share this machine's threads, power and devices at once
    Setting<double> watts;               // 0: not declared
    Setting<std::string> zone;           // "": not set
    Setting<std::string> power_command;  // the user's meter: a shell command that prints watts; "": none
    Setting<double> power_error;         // its relative error; 0: not stated
    Setting<std::string> worker;         // path of cultivar-lm; "": near this program (find_worker)

    // Reads the value of "cultivar.KEY" in a clone's git configuration.
    using PoolValue = std::function<Result<std::optional<std::string>>(const std::string& name)>;
    // `pool`: empty outside a clone. Errors: usage (file:line:column, or the value with its origin).
    static Result<Settings> load(const PoolValue& pool = {});

    // Sets one of known_settings(). Errors: usage, with the origin.
    Result<void> set(const std::string& key, const std::string& text, const std::string& origin);
};

// A line about each name that looks like a setting and is none: of the environment ("CULTIVAR_THREDS") and of a clone's git
// configuration ("cultivar.wats"). `config` holds the keys below "cultivar.", as git has them.
std::vector<std::string> unknown_settings(const std::vector<std::string>& config, const char* const* environment);

// "name", "machine", "threads", "device", "watts", "zone", "power.command", "power.error", "lm".
const std::vector<std::string>& known_settings();

// The language-model worker: the set path, else the file beside this program or in its libexec. Errors: not_found.
Result<std::string> find_worker(const Settings& settings);

}  // namespace cultivar
