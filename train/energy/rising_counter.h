// A counter of energy that rises, begins again at 0 after its range, and at any time where the machine slept or its driver
// was loaded again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace cultivar {

// No package of a processor and no GPU draws more, so that a counter that fell by more than this explains began again.
inline constexpr double kMostOfACounter_w = 1'000;

class RisingCounter {
public:
    // `range`: its largest value; 0: it never gets there.
    RisingCounter(double unit_joules, std::uint64_t range) : unit_joules_(unit_joules), range_(range) {}

    void begin(std::optional<std::uint64_t> value) { last_ = value; }

    // Joules since the value before, `seconds` ago. None where that one or this one could not be read.
    std::optional<double> advance(std::optional<std::uint64_t> value, double seconds) {
        const std::optional<std::uint64_t> before = last_;
        last_ = value;
        if (!before || !value) return std::nullopt;
        if (*value >= *before) return joules(*value - *before);
        const bool may_wrap = range_ > 0 && *before <= range_;
        const double wrapped = may_wrap ? joules(*value + (range_ - *before)) : 0;
        const bool is_wrap = may_wrap && wrapped <= kMostOfACounter_w * std::max(seconds, 1.0);
        return is_wrap ? wrapped : joules(*value);
    }

private:
    double joules(std::uint64_t units) const { return static_cast<double>(units) * unit_joules_; }

    double unit_joules_;
    std::uint64_t range_;
    std::optional<std::uint64_t> last_;
};

}  // namespace cultivar
