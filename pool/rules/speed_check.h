// More compute than the budget: a run's speed beside those of runs like it.
//
// Speed: forward FLOPs of all tokens trained on, a second of the run's own clock. Like it: scored runs of the same
// category whose FLOPs a token are within a factor of kLike. A writer's speed there is the upper quartile of its runs: a
// machine that is busy is slower, none is faster than it is, and a few false runs move it little. Two references, in
// logarithms:
//   own     the writer's other runs, at least 8 of them: a writer is one clone, on one machine. Margin: a factor of 3.
//   others  the median of at least 3 other writers' speeds, one voice each. Margin: a factor of 4, as honest machines of a
//           category are up to the square root of 10 apart and runs of one vary.
// or 6 robust deviations (1.4826 times the median absolute deviation from the median), where that is more.
// False alarms: tests/pool/rules/speed_check_test.cpp draws honest pools (machines anywhere in a category, 10 % noise a run, one run in
// ten slowed up to threefold by other work) and finds none in 10,000 runs: below 3 in 10,000 at 95 % confidence.
// What it cannot see: less than three times the compute; a writer who cheats in many runs, on a machine that is among the
// slowest of its category. That takes a replay. What it can take for more: a machine that was busy in all runs but one.
#pragma once

#include <string>
#include <vector>

namespace cultivar {

inline constexpr double kLike = 2;

struct Pace {
    double speed = 0;
    std::vector<double> own;                  // of the writer's other runs like it
    std::vector<std::vector<double>> others;  // of every other writer's
};

// Why the run cannot have kept to its budget; "" when nothing shows.
std::string too_fast(const Pace& pace);

}  // namespace cultivar
