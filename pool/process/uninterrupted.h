#pragma once

#include <cerrno>

namespace cultivar {

// The result of a system call, which is repeated as long as a signal interrupts it. Async-signal-safe if the call is.
template <typename Call>
auto uninterrupted(const Call& call) {
    auto got = call();
    while (got < 0 && errno == EINTR) got = call();
    return got;
}

}  // namespace cultivar
