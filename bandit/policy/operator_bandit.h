// Operators: which kind of change earns the next run. Discounted Thompson sampling of gain per cost: an operator's run
// pays if its new candidate scores better than all before it, since to stand still is no gain; successes and failures of an operator
// fade at each of its updates, so that one that stops paying loses its share; what is drawn for it is divided by what its
// runs cost against the mean run, faded alike; a tenth of the odds is dealt out evenly, whatever else is learnt, so that
// one that begins to pay is noticed. Measured, where all runs cost the same: equal to the best fixed mix within noise,
// without having to know that mix.
//
// The fade is re-estimated from the category's own runs at every plan: of 0.85, 0.9, 0.95, 0.98 and 1 that which foretold
// the outcomes best, one after the other (prequential likelihood, Dawid 1984); another takes the place of 0.95 once it
// did so by more than 1 nat. Where operators pay evenly nothing is forgotten, where they change everything soon is.
//
// A run costs the seconds that it took, its proposer's included, and for each dollar the seconds that a dollar buys of a
// machine. A proposer whose answer was not used has had a call without gain: it costs what it took.
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
    double cost = 1;                     // of its runs against the mean run
    double fade = 0.95;                  // of its account, at each of its updates; the same for all
};

// tune, switch, cross and import with what the category's history says of them, and the external proposer of that name,
// if any. Only a candidate's first own run counts. Unverified foreign runs are judged among themselves, count half and
// together no more than two own runs of an operator, however many they are; rejected ones not at all. Costs are those of
// own runs. `others_word`: what it has been worth to the model, 0 .. 1; imports begin with as much credit.
std::vector<OperatorArm> operator_arms(const History& history, const CandidateStandings& contenders,
                                       std::string_view external = {}, double others_word = 1);

struct OperatorProbability {
    std::string_view name;
    double selection_probability = 0;  // probability of being drawn
};

// The arms' odds, summing to 1, in the order given.
std::vector<OperatorProbability> operator_odds(const std::vector<OperatorArm>& arms, Random& random);

}  // namespace cultivar
