// A clock that tests set.
#pragma once

#include "pool/util/clock.h"

namespace cultivar {

class FakeClock final : public Clock {
public:
    double now_s() const override { return time_s; }
    std::int64_t unix_s() const override { return static_cast<std::int64_t>(time_s); }

    void sleep_s(double seconds) const override { time_s += seconds; }

    mutable double time_s = 1000;
};

}  // namespace cultivar
