// Hears a child out: both of its streams to their end, within limits of time and of bytes.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "pool/process/child_process.h"
#include "pool/process/limits.h"

namespace cultivar {

struct ProcessOutput {
    int exit_code = 0;  // -1: ended by `signal`
    int signal = 0;
    std::string out, err;
};

// Every byte on either stream counts as progress. Ends with the child itself: what it leaves behind may hold the streams
// open. Errors: git (a limit of time or of bytes ran out, or it tried what its sandbox forbids), interrupted (`stop`); the
// child is ended first. `whom`: to be given up in those words.
Result<ProcessOutput> communicate(Child& child, const TransportLimits& limits, const std::function<bool()>& stop,
                                  std::string_view whom = "the remote");

}  // namespace cultivar
