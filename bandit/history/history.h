// What the pool's index tells the search: every candidate's family and results in one category. Plain values, no I/O;
// the planner is a pure function of a History, a Space and a seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pool/types/candidate.h"
#include "pool/types/record.h"

namespace cultivar {

// One run in the planner's category, oldest first in History::runs.
struct Trial {
    std::string candidate;
    RunStatus status = RunStatus::done;
    double score = 0;  // done: val_bpb; stopped: expected_bpb; otherwise unused
    std::string operator_name;
    Decision decision = Decision::none;
    std::vector<std::string> parents;
    std::vector<CurvePoint> curve;
    double budget_s = 0;
    std::int64_t steps = 0;
    bool trusted = true;     // by this clone's writer, or accepted by a verdict
    std::string writer{};    // whose word it is, where it is not own
    std::string category{};  // of a run in History::elsewhere
    double wall_s = 0;       // all that it took; 0 where that is not known
    // An external proposer that was asked before this run, and what that took; the run is its own proposal if the
    // operator has its name.
    std::string proposer;
    double proposer_s = 0, proposer_usd = 0;
};

struct KnownCandidate {
    Candidate candidate;
    std::vector<std::string> parents;  // candidate ids
    bool seed = false;                 // one of the pool's seeds, run or not
    bool kept = false;                 // some run of it was kept, or a claim of it came from elsewhere
    bool retired = false;              // explored no further: no children, no further runs
    bool rejected = false;             // a verdict rejected its claim: never a parent, never in a model
    bool in_flight = false;            // a live lease, or a run or an ask of this clone
    int runs_anywhere = 0;             // trials known in all categories; replicates are numbered by it
};

struct History {
    std::string category;
    std::vector<KnownCandidate> candidates;  // in the order they became known; ids are unique
    std::vector<Trial> trials;               // of this category only
    // Done ones of other categories, oldest first, without curve and proposer; and without what is not own and was said
    // after the candidate ran in this one.
    std::vector<Trial> elsewhere{};
};

}  // namespace cultivar
