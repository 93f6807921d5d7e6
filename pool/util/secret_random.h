// Random numbers that nobody can predict or repeat: for salts, samples and orders that a contributor must not guess.
// Everything else draws from a seed (bandit/space/random.h).
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include <fmt/format.h>

namespace cultivar {

// A uniform random bit generator, for std::shuffle too: 32 bits per call, from the operating system.
class SecretRandom {
public:
    using result_type = std::uint32_t;
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return 0xffffffff; }
    result_type operator()() { return device_(); }
    std::string hex_digits(std::size_t count) {
        std::string digits;
        while (digits.size() < count) digits += fmt::format("{:08x}", (*this)());
        digits.resize(count);
        return digits;
    }

private:
    std::random_device device_;
};

}  // namespace cultivar
