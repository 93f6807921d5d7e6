// Flags runs that are implausibly fast for their budget: those that used more compute than the budget allows.
//
// The speed of a run is forward FLOPs of all tokens trained on, per second of the run's own clock. It is compared with
// scored runs of the same category within a factor of kSimilarFlops in FLOPs per token. A writer's speed is the
// upper quartile of its runs: a busy machine is slower, no machine is faster than it is, and a few false runs move it
// little. Two references, in logarithms:
//   own     the writer's other runs, at least 8 of them: a writer is one clone, on one machine. Margin: a factor of 3.
//   others  the median of at least 3 other verified writers' speeds, one per writer. Margin: a factor of 4, because honest machines
//           of a category are up to the square root of 10 apart and runs of one machine vary.
// The margin is never below 6 robust deviations (1.4826 times the median absolute deviation from the median).
// False alarms: tests/pool/rules/speed_check_test.cpp draws honest pools (machines anywhere in a category, 10 % noise per
// run, one run in ten slowed up to threefold by other work) and finds none in 10,000 runs: below 3 in 10,000 at 95 %
// confidence. It misses less than three times the compute, and a writer that cheats in many runs on one of the slowest
// machines of a category: both need a replay. It may flag a machine that was busy in all runs but one.
#pragma once

#include <string>
#include <vector>

namespace cultivar {

inline constexpr double kSimilarFlops = 2;

// Speeds in FLOP/s.
struct SpeedComparison {
    double speed = 0;                         // of the run in question
    std::vector<double> own;                  // of the writer's other similar runs
    std::vector<std::vector<double>> others;  // of every other writer's similar runs that were verified
};

// The reason to doubt that the run kept to its budget, as a clause that begins with "it trained"; "": none.
std::string too_fast(const SpeedComparison& runs);

}  // namespace cultivar
