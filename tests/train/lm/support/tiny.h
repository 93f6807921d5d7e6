// Weights that tests and the reference scripts make in the same way.
#pragma once

#include <cmath>
#include <span>

#include "train/lm/config/tensor_layout.h"

namespace cultivar {

// Noise from a formula: the fraction of 43758.5453 * sin(12.9898 * i + number), spread over +-amplitude.
inline float tiny_noise(std::int64_t i, double number, double amplitude) {
    const double noise = 43758.5453 * std::sin(12.9898 * static_cast<double>(i) + number);
    return static_cast<float>(amplitude * (2 * (noise - std::floor(noise)) - 1));
}

// The start of reference/make_golden.py.
inline void fill_with_noise(const Layout& layout, std::span<float> values) {
    for (std::size_t number = 0; number < layout.tensors.size(); ++number) {
        const TensorPlace& place = layout.tensors[number];
        const double amplitude = place.control() ? 1.2 : 0.3;
        for (std::int64_t i = 0; i < place.size; ++i) {
            values[static_cast<std::size_t>(place.begin + i)] = tiny_noise(i, static_cast<double>(number), amplitude);
        }
    }
}

}  // namespace cultivar
