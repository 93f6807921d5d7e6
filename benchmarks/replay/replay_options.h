// The command line of stop_bench and noise_bench: options with a value each, then files; and their exit.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

struct ReplayOptions {
    std::vector<std::string> methods, files;
    std::map<std::string, double> numbers;  // "--repeats": the given or the default value
};

// `numbers`: the options that take a positive number, with their defaults. --method may be repeated; without it all of
// `methods` are used. Errors: usage.
Result<ReplayOptions> read_replay_options(const std::vector<std::string>& words,
                                          const std::map<std::string, double>& numbers,
                                          const std::vector<std::string>& methods);

// main() of a bench: handles --help, does the work, prints an error and returns its exit code.
int run_bench(const char* name, const char* usage, int argc, char** argv,
              const std::function<Result<void>(const std::vector<std::string>& words)>& bench);

}  // namespace cultivar
