// Limits of a child process that talks to somebody else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cultivar {

// What a remote may cost before it is given up.
struct TransportLimits {
    double silence_s = 120;                             // without any progress
    double total_s = 4 * 3600;                          // one fetch, push or list
    std::size_t message_bytes = 64 << 20;               // what it says beside objects: messages, the list of refs
    std::int64_t memory_bytes = std::int64_t{2} << 30;  // private memory of the process that talks to it
    std::int64_t fetch_bytes = std::int64_t{4} << 30;   // one pack
    std::size_t objects = 4'000'000;                    // in one pack; libgit2 only
    std::size_t object_bytes = std::size_t{1} << 30;    // one object; libgit2 only, where it knows such a limit
};

}  // namespace cultivar
