// Measures how often per second some work runs.
#pragma once

#include "pool/util/clock.h"

namespace cultivar {

// Runs `work` for at least `seconds` and at least once; returns the runs per second.
template <typename Work>
double rate(double seconds, const Work& work) {
    const SystemClock clock;
    const double began_s = clock.now_s();
    double times = 0;
    do {
        work();
        ++times;
    } while (clock.now_s() - began_s < seconds);
    return times / (clock.now_s() - began_s);
}

}  // namespace cultivar
