#include "bandit/space/random.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace cultivar {

Random::Random(std::uint64_t seed) : state_{} {
    for (std::uint64_t& word : state_) word = splitmix64(seed);
}

std::uint64_t Random::next() {
    std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t Random::below(std::uint64_t count) {
    std::uint64_t biased = (0 - count) % count;  // rejecting the first 2^64 mod count values removes the bias
    std::uint64_t drawn = next();
    while (drawn < biased) drawn = next();
    return drawn % count;
}

double Random::normal() {
    for (;;) {
        double x = 2 * uniform() - 1, y = 2 * uniform() - 1;
        double square = x * x + y * y;
        if (square > 0 && square < 1) return x * std::sqrt(-2 * std::log(square) / square);
    }
}

double Random::gamma(double shape) {
    if (shape < 1) return gamma(shape + 1) * std::pow(1 - uniform(), 1 / shape);
    double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
        double x = normal(), base = 1 + c * x;
        if (base <= 0) continue;
        double v = base * base * base;
        if (std::log(1 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
}

double Random::beta(double a, double b) {
    double x = gamma(a), y = gamma(b);
    return x + y > 0 ? x / (x + y) : 0.5;
}

std::size_t Random::pick(std::span<const double> weights) {
    double total = 0;
    for (double weight : weights) total += std::max(weight, 0.0);
    if (!(total > 0)) return below(weights.size());
    double left = uniform() * total;
    std::size_t last = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!(weights[i] > 0)) continue;
        last = i;
        if (left < weights[i]) return i;
        left -= weights[i];
    }
    return last;
}

}  // namespace cultivar
