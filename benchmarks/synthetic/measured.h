// Runs other programs to their end and measures them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

struct Measured {
    double wall_s = 0;
    std::int64_t own_peak_bytes = 0;  // resident memory of the program itself, as last seen before it ended
    std::int64_t peak_bytes = 0;      // the largest of it and the programs it started
    int exit_code = -1;               // -1: ended by a signal
    bool timed_out = false;
    std::string output;  // standard output
    std::string error;   // the end of standard error
};

// Starts argv[0], found along PATH, and waits. After `limit_s` it kills the whole process group. Errors: io.
Result<Measured> measure(const std::vector<std::string>& argv, double limit_s);

// Runs a program that must succeed. Errors: io, git (it failed; the message has the end of its output).
Result<void> run_quietly(const std::vector<std::string>& argv);

}  // namespace cultivar
