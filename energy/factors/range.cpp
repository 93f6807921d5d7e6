#include "energy/factors/range.h"

#include <algorithm>

namespace cultivar {

Range Range::within(double value, double error) {
    const double one = value / (1 + error), other = value * (1 + error);
    return {value, std::min(one, other), std::max(one, other)};
}

Range& Range::operator+=(const Range& other) {
    value += other.value;
    low += other.low;
    high += other.high;
    return *this;
}

Range operator+(Range one, const Range& other) { return one += other; }

Range operator*(const Range& range, double scale) { return range * Range::exactly(scale); }

Range operator*(const Range& one, const Range& other) {
    const auto [low, high] =
        std::minmax({one.low * other.low, one.low * other.high, one.high * other.low, one.high * other.high});
    return {one.value * other.value, low, high};
}

}  // namespace cultivar
