// The history that the search works on: every candidate's parents and results in one category, as the pool's index has
// them. Plain values, no I/O. The planner is a pure function of a History, a Space and a seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pool/types/candidate.h"
#include "pool/types/record.h"
#include "pool/types/score_text.h"

namespace cultivar {

// One run in the planner's category. History::trials has the oldest first.
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
    bool trusted = true;         // run by this clone's writer, or accepted by a verdict
    std::string writer{};        // the writer of a foreign run; "" for an own run
    bool claimed = false;        // trusted by a verdict alone: the figures are another writer's
    bool of_proven_key = false;  // not trusted, but its writer has verified runs, or is a verifier
    std::string category{};      // set for a run in History::elsewhere
    double wall_s = 0;           // total wall time; 0 if unknown
    // The external proposer that was asked before this run, and the cost of that call. The run is its own proposal if
    // operator_name equals its name.
    std::string proposer;
    double proposer_s = 0, proposer_usd = 0;
};

struct KnownCandidate {
    Candidate candidate;
    std::vector<std::string> parents;  // candidate ids
    bool seed = false;                 // one of the pool's seeds, run or not
    bool kept = false;                 // some run of it was kept, or another writer claimed it
    bool retired = false;              // explored no further: it gets no children and no more runs
    bool rejected = false;             // a verifier's fresh seeds showed it bad: never a parent and never in a model
    bool wanted = false;               // its user asked for another try (cultivar retry): it comes first
    bool in_flight = false;            // a live lease holds it, or a run or an ask of this clone
    bool leased = false;               // another clone has a live lease of it, whether that holds it here or not
    bool held_here = false;            // that run or ask is this clone's own
    // The scores of verifiers' trainings here, with seeds that nobody could choose: their mean stands for the candidate.
    std::vector<double> fresh{};
    int runs_anywhere = 0;  // trials in all categories; the number of the next replicate
};

struct History {
    std::string category;
    bool noiseless = false;                    // the task declares that runs of one candidate score alike
    ScoreText text{};                          // of its scores, for people
    std::vector<KnownCandidate> candidates{};  // in the order they became known; ids are unique
    std::vector<Trial> trials{};               // of this category only
    // Runs of other categories with status done, oldest first, without curve and proposer. Foreign runs recorded after
    // the candidate ran in this category are left out.
    std::vector<Trial> elsewhere{};
};

}  // namespace cultivar
