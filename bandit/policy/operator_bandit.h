// The operator bandit chooses the kind of change for the next run, by discounted Thompson sampling of gain per cost.
//
// A run is a success for its operator if its new candidate scores better than all before it, since standing still is no
// gain. The successes and failures of an operator fade at each of its updates, so that an operator that stops
// succeeding loses its share. An operator's draw is divided by the cost of its runs relative to the mean run, faded in
// the same way. A tenth of the probability is always spread evenly, so that an operator that begins to succeed is
// noticed. Measured with equal costs of all runs: as good as the best fixed mix within noise, without knowing that mix
// in advance.
//
// The fade is estimated again from the category's own runs at every plan: of 0.85, 0.9, 0.95, 0.98 and 1 it is the one
// that predicted the outcomes best, one after the other (prequential likelihood, Dawid 1984). Another value replaces
// 0.95 once it is ahead by more than 1 nat. Thus nothing is forgotten while operators succeed evenly, and much if they
// change.
//
// A run costs its seconds, its proposer's included, and for each dollar the seconds of machine time that a dollar buys.
// If a proposer's answer was not used, its call is an outcome without gain at the cost of that call.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bandit/history/candidate_stats.h"
#include "bandit/space/random.h"

namespace cultivar {

inline constexpr std::string_view kTune = "tune", kSwitch = "switch", kCross = "cross", kImport = "import";
inline constexpr std::string_view kExternal = "proposer";  // or "proposer:NAME"
inline constexpr double kSecondsPerUsd = 7200;             // of a machine at half a dollar an hour

struct OperatorArm {
    std::string_view name;
    double successes = 0, failures = 0;  // the prior's pseudo-counts included
    double cost = 1;                     // of its runs, relative to the mean run
    double fade = 0.95;                  // factor at each update; the same for all operators
};

// Returns tune, switch, cross and import with their figures from the category's history, and the external proposer of
// that name, if any. Only a candidate's first own run counts. Unverified foreign runs are judged among themselves,
// count half, and weigh at most as much as two own runs of an operator in total; rejected ones do not count. Costs are
// those of own runs. `hint_weight`: the weight of hint sources in the model, 0 .. 1; the prior successes of imports are
// multiplied by it.
std::vector<OperatorArm> operator_arms(const History& history, const CandidateTable& candidates,
                                       std::string_view external = {}, double hint_weight = 1);

struct OperatorProbability {
    std::string_view name;
    double selection_probability = 0;  // probability of being drawn
};

// Returns the probability of each arm, in the order given. They sum to 1.
std::vector<OperatorProbability> selection_probabilities(const std::vector<OperatorArm>& arms, Random& random);

}  // namespace cultivar
