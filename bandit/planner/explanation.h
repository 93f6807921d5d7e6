// An explanation of a plan: the state of every arm when a run was planned, and the share of each in the runs so far. It
// is computed on demand from the history alone, so that asking for it changes no choice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bandit/model/hint_sources.h"
#include "bandit/policy/keep_test.h"
#include "bandit/policy/operator_bandit.h"
#include "bandit/policy/parent_selection.h"

namespace cultivar {

// Shares are fractions of all runs of the category. A run counts for its parent: half for each parent of a cross, and
// for its own candidate if it is a repeat, a seed or an import. A family is one candidate without parents and all its
// descendants; a cross belongs half to each side.
struct OperatorValue {
    std::string name;
    double successes = 0, failures = 0, cost = 0, selection_probability = 0;  // 0 if it was no arm
    double share = 0;
};

struct ParentValue {
    std::string candidate;
    double mean = 0, shrunken = 0, level = 0;
    int runs = 0, children = 0;
    double selection_probability = 0;  // of having the highest draw
    double share = 0;
};

struct Family {
    std::string root;    // its first candidate
    int candidates = 0;  // descendants, the root included
    double share = 0;
};

// A candidate that another writer claims to be better than the incumbent, and the reason why it is not a parent.
struct Outsider {
    std::string candidate, writer;
    double claimed = 0;
    std::optional<double> here;  // own mean score, if it ran here since
    std::string standing;        // one line
};

struct Explanation {
    std::vector<OperatorValue> operators;  // the arms first, then other operators by descending share
    std::vector<ParentValue> parents;      // the arms of the draw, best first
    std::vector<Family> families;          // by descending share
    std::vector<Outsider> outsiders;       // the best claim first, at most ten
    std::vector<HintSourceValue> sources;  // empty if no model took part
    Noise noise{};                         // of one run
};

// `selection_probability`: the probabilities that the choice was made with. If empty, they are computed from `seed`.
Explanation explain(const History& history, const CandidateTable& candidates, const std::vector<OperatorArm>& arms,
                    std::vector<OperatorProbability> selection_probability, std::uint64_t seed);

}  // namespace cultivar
