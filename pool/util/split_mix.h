// SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine. Not for secrets.
#pragma once

#include <cstdint>

namespace cultivar {

// Advances `state` and returns the next output.
inline std::uint64_t splitmix64(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15ULL;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    return mixed ^ (mixed >> 31);
}

}  // namespace cultivar
