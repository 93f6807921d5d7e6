// The words of stop_bench and noise_bench: options with a value each, then files.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pool/result.h"

namespace cultivar {

struct ReplayOptions {
    std::vector<std::string> methods, files;
    std::map<std::string, double> numbers;  // "--repeats": as given, or as it was
};

// `numbers` names the options that take a positive number, with what holds without them. --method M may come again; no
// --method: all of `methods`. Errors: usage.
Result<ReplayOptions> read_replay_options(const std::vector<std::string>& words,
                                          const std::map<std::string, double>& numbers,
                                          const std::vector<std::string>& methods);

}  // namespace cultivar
