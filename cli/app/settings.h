// Settings in layers: flags over environment over pool over user configuration over defaults. Every value knows where
// it came from, and `cultivar status` shows it.
//   environment         CULTIVAR_NAME, CULTIVAR_MACHINE, CULTIVAR_THREADS, CULTIVAR_DEVICE, CULTIVAR_WATTS, CULTIVAR_ZONE, CULTIVAR_LM
//   pool                git config of the clone: cultivar.threads, cultivar.watts, ...
//   user configuration  $XDG_CONFIG_HOME/cultivar/config.toml (or ~/.config): name, machine, threads, device, watts,
//                       zone, lm
// Name and machine are settled once, when init or clone write them to the clone's git config: a journal has one name.
#pragma once

#include <map>
#include <string>

#include "pool/git/repository.h"
#include "pool/util/result.h"

namespace cultivar {

struct Setting {
    std::string value;   // "" = not set
    std::string origin;  // "flag", "environment", "pool", "<file>", "default"
};

class Config {
public:
    // `repo`: the clone's, or null outside a pool. Errors: usage (file:line:col) when the user's file is malformed.
    static Result<Config> load(const Repo* repo);
    void override_by_flag(const std::string& key, const std::string& value);

    Setting get(const std::string& key) const;
    Result<int> threads() const;         // default: the processors this process may use
    Result<std::string> device() const;  // "cpu" (the default), "cuda" or "mps"
    Result<double> watts() const;        // 0 = not declared
    Result<std::string> worker() const;  // path of cultivar-lm. Errors: not_found

    static const std::map<std::string, std::string>& known();  // key -> one line of help

private:
    std::map<std::string, Setting> values_;
};

}  // namespace cultivar
