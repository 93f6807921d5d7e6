// Random numbers that are the same on every machine and with every standard library: SplitMix64 (Steele, Lea, Flood
// 2014), and Box-Muller for normal numbers. The standard distributions are not portable.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "pool/util/split_mix.h"

namespace cultivar {

class SplitMix {
public:
    explicit SplitMix(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() { return splitmix64(state_); }

    double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // in [0, 1)

    double normal() {
        const double radius = std::sqrt(-2 * std::log(1 - uniform()));
        return radius * std::cos(2 * std::numbers::pi * uniform());
    }

private:
    std::uint64_t state_;
};

}  // namespace cultivar
