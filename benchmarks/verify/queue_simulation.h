// Plays a verifier's queue of claims for some months of simulated time: the real order, turns, plans, standing and costs
// (cli/verify), the real judgements on simulated claims, the default share. Nothing is trained.
//
// Each day claims of every kind come in by chance. One machine of the verifier's searches all day, and every honest
// contributor makes ten runs for each claim; that pays (VerificationBudget). Claims are of one category and take 600 s
// each, none has children. Dishonest keys claim nothing but lies of one kind, ten each, or one lie after twelve honest claims.
#pragma once

#include <map>
#include <string>

#include "benchmarks/verify/claim_simulation.h"

namespace cultivar {

struct QueueTally {
    int claims = 0;
    int accepted = 0, provisional = 0, rejected = 0;
    int waiting = 0;  // at the end
    int rerun = 0;    // trained again at some time
    int best = 0;     // days at the end of which a claim of this kind was the best of the category
};

struct QueueFigures {
    std::map<std::string, QueueTally> kinds{};
    double paying_s = 0, spent_s = 0;
};

// `claims`: of each kind.
QueueFigures simulate_queue(int claims, int days, const ClaimNoise& noise, Random& random);

}  // namespace cultivar
