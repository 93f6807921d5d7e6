// The input of a plan, with the callbacks that it may use.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bandit/history/history.h"

namespace cultivar {

// Makes the cross of two candidates; the caller does it because ancestry lives in the repository. Returns the child, or
// an error if they cannot be crossed.
using Crosser = std::function<Result<Candidate>(const std::string& a, const std::string& b)>;

// The answer of an external proposer: other values for some genes of a candidate (an id or a prefix of one).
struct Suggestion {
    std::string parent;
    Genes changes;
    std::string note;  // its reason in its own words; one line or ""
};
using Suggester = std::function<Result<Suggestion>()>;

// Checks limits that the space cannot express: a model that does not fit the machine, a row that a table lacks.
using Feasible = std::function<bool(const Genes& complete)>;

struct PlannerInput {
    const Space* space = nullptr;
    std::string task_id;
    const History* history = nullptr;
    std::uint64_t seed = 0;
    Crosser cross;
    std::string external{};  // operator name of `suggest`
    Suggester suggest{};     // called at most once per plan, if the operator bandit draws it
    bool explain = false;
    bool control = false;  // runs fail one after the other: plans the best candidate again, to test the machine
    Feasible feasible{};   // empty: everything that the space allows
};

}  // namespace cultivar
