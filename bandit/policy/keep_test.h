// Noise: is this candidate better than its parents, or only lucky?
//
// sigma, the standard deviation of one run's score, is estimated from replicated candidates of the same category, never
// assumed. The test is a race in stages: run the challenger once; z = (m_parent - m_child) / (sigma * sqrt(1/n_parent +
// 1/n_child)); z < 0: revert; z > 3 after one run, or z > 2 after more: keep; otherwise run again, at most 5 runs; after
// the fifth keep if z > 1. Under real seed noise (noise_bench) 9 % of what it keeps is no better than its parent where
// effects are as large as sigma; z > 2, 1 and, after the third, 0.6 keep 16 % falsely for a quarter more gain; three
// seeds at 95 % gain less than half. Scores are minimised, and published as the mean of all runs. Only own runs count: a foreign
// figure that nobody verified judges nothing.
#pragma once

#include <string>
#include <vector>

#include "bandit/history/history.h"

namespace cultivar {

class CandidateStandings;

struct Noise {
    double sigma = 0;            // of one run's score; > 0
    int degrees_of_freedom = 0;  // 0: nothing was replicated yet and sigma is the prior
};

// Pooled within-candidate standard deviation over done trials, shrunk towards a prior of 0.2 % of the best score that
// weighs 1 degree of freedom: the geometric middle of what was measured elsewhere (0.03 % between the seeds of big
// language models to 1.5 % on a busy laptop), and as much as a guess weighs that may be off by e either way. Because it
// may be, it is shrunk in the logarithm, with the bias of the log of a variance taken off (Smyth 2004). Never below a
// millionth of the best score.
//
// Where candidates were replicated in other categories of the pool, their sigmas against their best scores are averaged
// into the prior, in the logarithm: the guess with weight 1, each writer's with its degrees of freedom but at most 3 (all
// that is sure of a category: together); and the prior weighs 2. Whose word is not verified moves it by a factor of e at
// most, so that nobody can talk a category into keeping luck, or into keeping nothing.
Noise estimate_noise(const History& history);
Noise estimate_noise(const CandidateStandings& contenders);

struct Judgement {
    Decision decision = Decision::none;  // kept, reverted or undecided; none: nothing to judge
    double z = 0;
    std::string
        reason;  // one line with the figures: "2.103 +- 0.021 (1 run) against parent 1a2b3c4d 2.187 (2 runs), z = 2.8"
};

inline constexpr int kMaxChallengerRuns = 5;

// Judges a candidate by the trials in the history (its newest included) against the best of `parents`, i.e. the one
// with the lowest mean in this category. Without parents, or where no parent has a score here, a scored candidate is
// kept. A stopped or failed run decides nothing if an earlier one kept the candidate; a stopped run reverts it
// otherwise. A candidate once kept is reverted only by z < 0.
Judgement judge(const History& history, const std::string& candidate, const std::vector<std::string>& parents);

}  // namespace cultivar
