// An explanation: how the arms stood when a run was planned, and where the runs so far went. Made on demand, from the
// history alone, so that asking for it changes no choice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bandit/model/hint_sources.h"
#include "bandit/policy/operator_bandit.h"
#include "bandit/policy/parent_selection.h"

namespace cultivar {

// Shares are of all runs of the category. A run is its parent's effort: half of each parent's for a cross, its own
// candidate's for a repeat, a seed and an import. A family is everything that descends from one candidate without
// parents, a cross belonging half to each side.
struct OperatorValue {
    std::string name;
    double successes = 0, failures = 0, cost = 0, selection_probability = 0;  // 0 for one that was no arm
    double share = 0;
};

struct ParentValue {
    std::string candidate;
    double mean = 0, shrunken = 0, level = 0;
    int runs = 0, children = 0;
    double selection_probability = 0;  // of the highest draw
    double share = 0;
};

struct Family {
    std::string root;    // its first candidate
    int candidates = 0;  // that descend from it, itself included
    double share = 0;
};

// A candidate that another says is better than the incumbent, and why it is no parent for that.
struct Outsider {
    std::string candidate, writer;
    double claimed = 0;
    std::optional<double> here;  // own mean, if it ran here since
    std::string standing;        // one line
};

struct Explanation {
    std::vector<OperatorValue> operators;  // the arms first, then what else was run, the greatest share first
    std::vector<ParentValue> parents;      // best first: the arms of the draw
    std::vector<Family> families;          // the greatest share first
    std::vector<Outsider> outsiders;       // the boldest claim first, at most ten
    std::vector<SourceValue> sources;      // of a plan that a model had a part in
};

// `odds` are those that the choice was made by; where it was made without, they are worked out from `seed`.
Explanation explain(const History& history, const CandidateStandings& contenders, const std::vector<OperatorArm>& arms,
                    std::vector<OperatorProbability> selection_probability, std::uint64_t seed);

}  // namespace cultivar
