// What stop_bench and noise_bench share: their words (options with a value each, then files) and how they end.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pool/util/result.h"

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

// main() of a bench: --help, the work, and what went wrong with its exit code.
int run_bench(const char* name, const char* usage, int argc, char** argv,
              const std::function<Result<void>(const std::vector<std::string>& words)>& bench);

}  // namespace cultivar
