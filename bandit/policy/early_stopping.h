// Early stopping by guarded optimistic extrapolation. The optimism is learnt from the category's own curves.
//
// A run is checked every 5 % of the budget from 10 % on, once there are 6 own completed runs with curves. A check stops
// it only if all of this holds:
// 1. its train loss is above the median of all own runs that got this far;
// 2. some completed run was at least as bad at this point: the rule does not extrapolate beyond runs seen to their end.
//    Slow starters that a stopping rule would otherwise never get to know are thus let run, about ln(runs) of them;
// 3. even `optimism` times the largest later gain (in ln loss) among the 20 completed runs nearest to it would not make
//    it the best.
// optimism = the smallest value that would have spared every completed run of the better half, judged by the other runs
// and with its own end as the best, but at least 1 + 3 / completed runs, since a maximum over few runs says little. One
// candidate in 50, drawn by its id, is never stopped, so that the rule learns from bad starts as well. Replicates are
// never checked. Accepted runs of other writers teach nothing here: a verdict checks their scores, not their curves.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bandit/history/history.h"

namespace cultivar {

// This over the number of completed runs is added to the optimism.
inline constexpr double kStoppingMargin = 3;

struct StopDecision {
    double expected_score = 0;  // extrapolated by the median gain of similar curves; reported in place of a score
    std::string reason;         // one line with the figures
};

// The rule is learnt once from a history and asked at every step of one run. It answers as of the last check, so that
// asking more often changes nothing. Scores and training losses have different scales: gains are taken on ln of the
// train loss, condition 3 compares with the final train loss of the best-scored run, and expected_score maps back by
// the similar runs' ratio of score to final train loss. Where the losses of some curve are not above 0, as those of a
// maximised score, the losses themselves and differences take the places of logarithms and ratios. Learning costs O(20 checks * trials * (curve + ln trials)).
class StoppingRule {
public:
    StoppingRule(const History& history, double budget_s);

    // `curve`: the run's points so far.
    std::optional<StopDecision> hopeless(std::string_view candidate, const std::vector<CurvePoint>& curve) const;
    double optimism() const { return optimism_; }

private:
    struct Completed {
        double now = 0;   // ln loss at the check, or the loss
        double last = 0;  // the same at the end
        double score = 0;
    };
    struct Look {
        double at_s = 0;
        double median = 0;                 // ln loss of all runs that got this far
        std::vector<Completed> completed;  // sorted by `now`
    };
    struct Learner;

    double budget_s_ = 0, optimism_ = 0, best_last_ = 0;
    bool plain_ = false;  // losses rather than their logarithms
    ScoreText text_;
    std::vector<Look> looks_;  // empty: too few runs, no answer yet
};

}  // namespace cultivar
