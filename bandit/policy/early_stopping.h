// Early stopping: guarded optimistic extrapolation, its optimism learnt from the category's own curves.
//
// A run is looked at every 5 % of the budget from 10 % on, once 6 own completed runs with curves exist. At a look it
// is stopped only if all of this holds:
//   1. its train loss is above the median of all own runs that got there;
//   2. some completed run was at least as bad there: what nobody has seen to its end is not extrapolated. In this way
//      the slow starters that a stopping rule would never get to know are let run, about ln(runs) of them;
//   3. even `optimism` times the largest later gain (in ln loss) among the 20 completed runs nearest to it would not
//      make it the best.
// optimism = the least that would have spared every completed run of the better half, had it been judged by the others
// and had its own end been the best, but at least 1 + 3 / completed runs: a maximum over few says little. One
// candidate in 50, drawn by its id, is never stopped, so that this is learnt from bad starts as well.
// Replicates are never asked about.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bandit/history/history.h"

namespace cultivar {

// Over the completed runs: what is added to the optimism.
inline constexpr double kStoppingMargin = 3;

struct StopDecision {
    double expected_score = 0;  // extrapolated by the median gain of the similar curves; reported instead of a score
    std::string reason;         // one line with the figures
};

// Learnt once from a history, then asked at every step of one run: as it stood at the last look, so that asking more
// often changes nothing. Scores and training losses live on different scales: gains are taken on ln of the train loss,
// 3. compares with the final train loss of the best-scored run, and expected_score maps back through the similar runs'
// ratio of score to final train loss. Costs O(20 looks * trials * (curve + ln trials)) to learn.
class StoppingRule {
public:
    StoppingRule(const History& history, double budget_s);

    // `curve` is the run's own so far.
    std::optional<StopDecision> hopeless(std::string_view candidate, const std::vector<CurvePoint>& curve) const;
    double optimism() const { return optimism_; }

private:
    struct Completed {
        double now = 0;   // ln loss at the look
        double last = 0;  // ln loss at the end
        double score = 0;
    };
    struct Look {
        double at_s = 0;
        double median = 0;                 // ln loss of all that got there
        std::vector<Completed> completed;  // by `now`
    };
    struct Learner;

    double budget_s_ = 0, optimism_ = 0, best_last_ = 0;
    std::vector<Look> looks_;  // empty: nothing can be said yet
};

}  // namespace cultivar
