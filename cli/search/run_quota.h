// The runs that an exploration may still begin, shared by its jobs. Thread-safe.
#pragma once

#include <mutex>
#include <optional>

namespace cultivar {

class RunQuota {
public:
    explicit RunQuota(std::optional<int> runs) : runs_(runs) {}

    // The number of the run that may begin, from 1; none: no more.
    std::optional<int> take() {
        const std::lock_guard hold(mutex_);
        if (closed_ || (runs_ && taken_ >= *runs_)) return std::nullopt;
        return ++taken_;
    }
    void put_back() {  // a run that was not recorded
        const std::lock_guard hold(mutex_);
        --taken_;
    }
    void close() {  // no further run begins
        const std::lock_guard hold(mutex_);
        closed_ = true;
    }

private:
    std::mutex mutex_;
    const std::optional<int> runs_;
    int taken_ = 0;
    bool closed_ = false;
};

}  // namespace cultivar
