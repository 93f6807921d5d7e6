// Time as the rest of the program sees it, so that tests can bring their own.
#pragma once

#include <chrono>
#include <cstdint>
#include <thread>

namespace cultivar {

class Clock {
public:
    virtual ~Clock() = default;
    virtual double now_s() const = 0;         // monotonic, from an arbitrary start
    virtual std::int64_t unix_s() const = 0;  // UTC, seconds since 1970
    virtual void sleep_s(double seconds) const = 0;
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
    void sleep_s(double seconds) const override { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }
};

}  // namespace cultivar
