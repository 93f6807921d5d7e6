// Reproducible random draws: the same seed gives the same sequence with every compiler and standard library. The
// generator is xoshiro256** 1.0 (Blackman and Vigna 2018), its state filled by splitmix64. Not for secrets, not
// thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/util/split_mix.h"

namespace cultivar {

class Random {
public:
    explicit Random(std::uint64_t seed);
    explicit Random(const std::array<std::uint64_t, 4>& state) : state_(state) {}  // not all zero

    std::uint64_t next();
    double uniform();                          // [0, 1), 53 bits
    std::uint64_t below(std::uint64_t count);  // 0 .. count - 1, unbiased; count > 0
    bool chance(double probability) { return uniform() < probability; }
    double normal();                  // mean 0, variance 1 (Marsaglia's polar method)
    double gamma(double shape);       // scale 1, shape > 0 (Marsaglia and Tsang 2000)
    double beta(double a, double b);  // a, b > 0
    // Draws an index in proportion to its weight; uniformly if no weight is positive. `weights` is not empty.
    std::size_t pick(std::span<const double> weights);

private:
    std::array<std::uint64_t, 4> state_;
};

}  // namespace cultivar
