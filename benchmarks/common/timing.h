// The one way in which the benchmark takes a time.
#pragma once

#include "pool/util/clock.h"

namespace cultivar {

// How often a second `work` runs: for at least `seconds` and at least once.
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
