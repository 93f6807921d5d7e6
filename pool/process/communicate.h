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

struct BothStreams {
    int output, error_output;  // readable ends of pipes, non-blocking
};

// Asked while there is more to read; told the seconds since the last byte. An error ends the reading.
using SilenceCheck = std::function<Result<void>(double silent_s)>;

// Adds to `output` what both streams give, until both are closed or, with `has_ended`, hold nothing more; of each stream
// little more than `limit_bytes`. Errors: those of `check`.
Result<void> read_both(const BothStreams& streams, std::size_t limit_bytes, ProcessOutput& output,
                       const std::function<bool()>& has_ended, const SilenceCheck& check);

// Takes what it wants of the output so far from its beginning. What is left there comes again, with more behind it.
using OutputTaker = std::function<void(std::string& out)>;

// Returns when the child itself ends: processes that it leaves behind may hold the streams open. Errors: git (a limit
// of time ran out, or the child tried something that its sandbox forbids), git with Reason::too_large (message_bytes),
// interrupted (`stop` returned true); the child is ended first. Messages call the child `whom`. `take`, if there is one,
// is given the output as it comes: of what it takes away, nothing counts as too large.
Result<ProcessOutput> communicate(Child& child, const CommunicateLimits& limits, const std::function<bool()>& stop,
                                  std::string_view whom = "the remote", const OutputTaker& take = {});

}  // namespace cultivar
