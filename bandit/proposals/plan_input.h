// What a plan is made from, and whom it may ask.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bandit/history/history.h"

namespace cultivar {

// How the planner asks for a cross, since ancestry lives elsewhere: the child of two candidates, or an error where
// they cannot be crossed.
using Crosser = std::function<Result<Candidate>(const std::string& a, const std::string& b)>;

// What an external proposer says: other values for some genes of a candidate (an id, or the beginning of one).
struct Suggestion {
    std::string parent;
    Genes changes;
    std::string note;  // why, in its own words; one line or ""
};
using Suggester = std::function<Result<Suggestion>()>;

// What the space cannot say: a model that does not fit the machine, a cell that a table lacks.
using Feasible = std::function<bool(const Genes& complete)>;

struct PlannerInput {
    const Space* space = nullptr;
    std::string task_id;
    const History* history = nullptr;
    std::uint64_t seed = 0;
    Crosser cross;
    std::string external{};  // name of the operator that `suggest` is
    Suggester suggest{};     // asked at most once a plan, if the operator bandit draws it
    bool explain = false;
    Feasible feasible{};  // none: whatever the space allows
};

}  // namespace cultivar
