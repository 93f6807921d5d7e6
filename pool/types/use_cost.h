// The cost of using a model, and a pool's caps on it: using a model costs as well as training it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cultivar {

// Figures of one model, or the most that a pool allows. Absent: not known, or not capped.
struct UseCost {
    std::optional<std::int64_t> parameters;
    std::optional<double> forward_flops_per_token;
    std::optional<double> joules_per_token;  // of training: joules on the training clock / tokens trained on

    bool operator==(const UseCost&) const = default;
};

// The first figure that is over its cap, as a sentence; none where every known figure is within.
std::optional<std::string> over_cap(const UseCost& cost, const UseCost& caps);

// Does `cost` know every figure that is capped?
bool knows_what_is_capped(const UseCost& cost, const UseCost& caps);

}  // namespace cultivar
