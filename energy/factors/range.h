// A figure that is known within bounds: the likely value, and the lowest and the highest that it may be.
#pragma once

namespace cultivar {

struct Range {
    double value = 0, low = 0, high = 0;

    static Range exactly(double value) { return {value, value, value}; }
    // The bounds of a measured figure with a relative error: from value / (1 + error) to value x (1 + error).
    static Range within(double value, double error);

    Range& operator+=(const Range& other);
    bool operator==(const Range&) const = default;
};

Range operator+(Range one, const Range& other);
Range operator*(const Range& range, double scale);
// The bounds are the extremes of the products of the bounds, so that a negative price is counted right.
Range operator*(const Range& one, const Range& other);

}  // namespace cultivar
