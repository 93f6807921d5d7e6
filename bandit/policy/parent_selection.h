// Parent selection: Gaussian Thompson sampling over the ten best candidates. This rule was the best of nine on 38
// tables of real trainings; softmax over levels and the evolutionary weightings were the worst.
//
//   shrunken mean  m~ = (n m + 0.5 m_parent) / (n + 0.5)     discounts a single lucky run; or the caller's estimate
//   level          l = (median - m~) / (median - best), clipped to [0, 1]
//   draw           N(l, 0.3 / sqrt(1 + children))            children in flight count, so that parallel workers differ
//                  - 0.3 (f - 1)                             where the last f > 1 runs here with its source failed in a row
// Source may fail whenever it likes, in its children alone, say. The last rule lets a search turn away within a few runs
// and back after one that ends; it never bans.
#pragma once

#include <functional>
#include <vector>

#include "bandit/history/candidate_stats.h"
#include "bandit/space/random.h"

namespace cultivar {

struct ParentArm {
    const CandidateStats* stats = nullptr;
    double shrunken = 0;  // in the unit of the score
    double level = 0;     // 0 .. 1
};

// Returns the candidates that may have children, lowest shrunken mean first, at most ten. The first is the incumbent.
std::vector<ParentArm> parent_arms(const CandidateTable& candidates);
// Ranks by `estimate`, computed for the thirty candidates of lowest mean, in place of the shrunken mean.
std::vector<ParentArm> parent_arms(const CandidateTable& candidates,
                                   const std::function<double(const CandidateStats&)>& estimate);

// Returns the median of the candidates' means minus the best; 0 if nothing was scored.
double score_spread(const CandidateTable& candidates);

struct ParentDraw {
    const ParentArm* arm = nullptr;
    double value = 0;
};

// Returns the arms with a draw each, highest draw first.
std::vector<ParentDraw> draw_parents(const std::vector<ParentArm>& arms, Random& random);

}  // namespace cultivar
