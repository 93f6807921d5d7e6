// Reads a child's stdout and stderr to EOF, within limits.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "pool/process/child_process.h"

namespace cultivar {

struct CommunicateLimits {
    double silence_s = 120;                // without a byte on either stream
    double total_s = 4 * 3600;             // until the child ends
    std::size_t message_bytes = 64 << 20;  // on each stream
};

struct ProcessOutput {
    int exit_code = 0;  // -1: ended by `signal`
    int signal = 0;
    std::string out, err;
};

// Returns when the child itself ends: processes that it leaves behind may hold the streams open. Errors: git (a limit
// of time ran out, or the child tried something that its sandbox forbids), git with Reason::too_large (message_bytes),
// interrupted (`stop` returned true); the child is ended first. Messages call the child `whom`.
Result<ProcessOutput> communicate(Child& child, const CommunicateLimits& limits, const std::function<bool()>& stop,
                                  std::string_view whom = "the remote");

}  // namespace cultivar
