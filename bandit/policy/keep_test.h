// The keep test decides whether a candidate is better than its parents or only lucky.
//
// sigma, the standard deviation of one run's score, is estimated from replicated candidates of the same category; it is
// never assumed. Until two runs of one candidate were scored it is unknown. Then one run each says which of two is more
// probably the better one, whatever sigma is, but never how surely: the worse is reverted, nothing is kept, and the
// planner replicates the leader at once. A task may declare its runs free of noise: then one run decides.
//
// With a known sigma the test is a race in stages. Run the challenger once and compute z = (m_parent - m_child) / (sigma *
// sqrt(1/n_parent + 1/n_child)). z < 0: revert. z > 3 after one run, or z > 2 after more: keep. Otherwise run again, at
// most 5 runs; after the fifth keep if z > 1. Under real seed noise (noise_bench) 9 % of the kept candidates are no
// better than their parents where effects are as large as sigma. Thresholds of z > 2, 1 and, after the third run, 0.6
// keep 16 % falsely for a quarter more gain; three seeds at 95 % gain less than half. Scores are minimised, and
// published as the mean of all runs. Only own runs count: an unverified foreign score judges nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bandit/history/history.h"

namespace cultivar {

class CandidateTable;

struct Noise {
    double sigma = 0;            // of one run's score; > 0, or 0 if the task declares no noise
    int degrees_of_freedom = 0;  // 0: no replicates yet, sigma is the prior: nothing is kept by it or shown of it
    bool declared_none = false;

    bool known() const { return declared_none || degrees_of_freedom > 0; }
};

// Estimates the noise as the pooled within-candidate standard deviation over done trials, shrunk towards a prior of 0.2
// % of the best score. The prior weighs 1 degree of freedom. It is the geometric middle of measured values (0.03 %
// between the seeds of large language models to 1.5 % on a busy laptop), and its weight is that of a guess that may be
// off by a factor of e either way. For this reason the shrinkage is in the logarithm, and the bias of the log of a
// variance is removed (Smyth 2004). A guess that the replicates contradict yields to them: sigma is at least its most
// likely value under a prior with heavy tails (Cauchy in the logarithm), which matters once they show four times the
// guess. The result is never below a millionth of the best score.
//
// If candidates were replicated in other categories of the pool, their sigmas relative to their best scores are
// averaged into the prior, in the logarithm: the guess has weight 1, each writer the weight of its degrees of freedom
// but at most 3 (all trusted runs of a category count as one writer). The prior then weighs 2. Unverified writers can
// shift sigma by at most a factor of e, so that nobody can make a category keep lucky candidates, or keep none.
Noise estimate_noise(const History& history);
Noise estimate_noise(const CandidateTable& candidates);

struct Judgement {
    Decision decision = Decision::none;  // kept, reverted or undecided; none if there is nothing to judge
    std::optional<double> z;             // none: nothing to compare with, noise unknown, or none declared
    // One line with the figures: "2.103 +- 0.021 (1 run) against parent 1a2b3c4d 2.187 (2 runs), z = 2.8". Beyond 9 it
    // says "z > 9": sigma is never known well enough for more.
    std::string reason;
    double sigma = 0;  // of one run's score; 0: unknown, or none declared
};

inline constexpr int kMaxChallengerRuns = 5;

// Judges a candidate by the trials in the history (its newest included) against the best of `parents`, the one with the
// lowest mean in this category. If there are no parents, or no parent has a score here, a scored candidate is kept. A
// stopped or failed run decides nothing if an earlier run kept the candidate; otherwise a stopped run reverts it. A
// candidate once kept is reverted only by z < 0.
Judgement judge(const History& history, const std::string& candidate, const std::vector<std::string>& parents);

}  // namespace cultivar
