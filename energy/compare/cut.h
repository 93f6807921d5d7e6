// The point of a repeat at which it meets a target, and the part of each run that was spent until then.
//
// A verified score counts from the end of the last run that its claim names. Between the verified record before and the one
// that meets the target, cost is interpolated along the score: a target a third of the way between the two takes a third of
// everything that was spent between them. Compute and joules are cut within the run in which they are used up.
#pragma once

#include "energy/compare/arm.h"

namespace cultivar {

enum class TargetKind { score, compute, joules };

struct Target {
    TargetKind kind = TargetKind::score;
    double amount = 0;  // loss; FLOPs; gross joules
};

struct Cut {
    bool is_reached = false;            // false: the repeat ended before, and its whole cost is a lower bound
    std::vector<double> weights{};      // of each run, 0 to 1
    double elapsed_s = 0;               // from the first start
    std::optional<double> best_loss{};  // verified, of the runs that count whole; of a score target its amount
};

Cut cut_at(const Repeat& repeat, const Target& target);

// The best verified loss that every repeat of both arms reached; none: a repeat has none.
std::optional<double> common_loss(const Arm& first, const Arm& second);

}  // namespace cultivar
