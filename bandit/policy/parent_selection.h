// Parents: which candidate earns the next child. Gaussian Thompson sampling over the ten best, the rule that was best
// of nine on 38 tables of real trainings; softmax over levels and the evolutionary weightings were the worst.
//
//   shrunken mean  m~ = (n m + 0.5 m_parent) / (n + 0.5)     one lucky run counts for less; or the caller's estimate
//   level          l = (median - m~) / (median - best), clipped to [0, 1]
//   draw           N(l, 0.3 / sqrt(1 + children))            children in flight count: the correction for workers apart
#pragma once

#include <functional>
#include <vector>

#include "bandit/history/candidate_stats.h"
#include "bandit/space/random.h"

namespace cultivar {

struct ParentArm {
    const CandidateStats* contender = nullptr;
    double shrunken = 0;  // in the score's unit
    double level = 0;     // 0 .. 1
};

// The candidates that may have children, best shrunken mean first, at most ten; the first is the incumbent.
std::vector<ParentArm> parent_arms(const CandidateStandings& contenders);
// With `estimate` of the thirty of lowest mean in place of the shrunken mean.
std::vector<ParentArm> parent_arms(const CandidateStandings& contenders,
                                   const std::function<double(const CandidateStats&)>& estimate);

// The median of the candidates' means less the best; 0 if nothing was scored.
double score_spread(const CandidateStandings& contenders);

struct ParentDraw {
    const ParentArm* arm = nullptr;
    double value = 0;
};

// The arms by their draws, highest first.
std::vector<ParentDraw> draw_parents(const std::vector<ParentArm>& arms, Random& random);

}  // namespace cultivar
