// Operators: which kind of change earns the next run. Discounted Thompson sampling: an operator's run pays if its new
// candidate enters the best tenth of what was scored before it; successes and failures of an operator fade by 0.95 at
// each of its updates, so that one that stops paying loses its share; a tenth of the odds is dealt out evenly, so that
// one that begins to pay is noticed. Measured: equal to the best fixed mix within noise, without having to know that
// mix.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bandit/contenders.h"
#include "bandit/random.h"

namespace cultivar {

inline constexpr std::string_view kTune = "tune", kSwitch = "switch", kCross = "cross", kImport = "import";

struct OperatorArm {
    std::string_view name;
    double paid = 0, unpaid = 0;  // the prior's pseudo-counts included
};

// tune, switch, cross and import with what the category's history says of them. Only a candidate's first run counts,
// whoever ran it; unverified foreign runs count half, rejected ones not at all.
std::vector<OperatorArm> operator_arms(const History& history, const Contenders& contenders);

struct OperatorOdds {
    std::string_view name;
    double odds = 0;  // probability of being drawn
};

// The arms' odds, summing to 1, in the order given.
std::vector<OperatorOdds> operator_odds(const std::vector<OperatorArm>& arms, Random& random);

}  // namespace cultivar
