// How much later a run was made than it would have been without waiting for the grid or the machine.
#pragma once

#include <cstdint>
#include <vector>

namespace cultivar {

struct Delay {
    std::int64_t from_unix_s = 0;  // until the next one
    double seconds = 0;            // as if its exploration had never waited

    bool operator==(const Delay&) const = default;
};
using Delays = std::vector<Delay>;  // ascending

inline constexpr std::size_t kMostDelays = 64;  // of a run; the last one takes the place of its predecessor then

}  // namespace cultivar
