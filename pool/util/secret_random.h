// Random numbers that nobody can predict or repeat: for salts, samples and orders that a contributor must not guess.
// Everything else draws from a seed (bandit/space/random.h).
#pragma once

#include <cstdint>
#include <random>

namespace cultivar {

// A uniform random bit generator, for std::shuffle too: 32 bits per call, from the operating system.
class SecretRandom {
public:
    using result_type = std::uint32_t;
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return 0xffffffff; }
    result_type operator()() { return device_(); }

private:
    std::random_device device_;
};

}  // namespace cultivar
