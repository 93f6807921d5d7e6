// Time as the rest of the program sees it, so that tests can bring their own.
#pragma once

#include <chrono>
#include <cstdint>

namespace cultivar {

class Clock {
public:
    virtual ~Clock() = default;
    virtual double now_s() const = 0;         // monotonic, from an arbitrary start
    virtual std::int64_t unix_s() const = 0;  // UTC, seconds since 1970
};

// The machine's own clocks. Thread-safe.
class SystemClock final : public Clock {
public:
    double now_s() const override {
        return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    }
    std::int64_t unix_s() const override {
        const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::seconds>(since_1970).count();
    }
};

}  // namespace cultivar
