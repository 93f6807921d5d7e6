// Tier rerun for a pool's own command: a metric of any kind, that may cross zero, span decades or never vary at all. Nothing
// is known of its noise before it was measured, so there is no prior (eval/judge/rerun_test.h has one for val_bpb): how
// much one run varies is learnt from fresh seeds alone, those of this candidate and of the verifiers' other reruns in the
// category. No figure of a claimant enters.
//
//   s^2 = (squares of others + squares of the m fresh scores) / nu,   nu = replicates of others + (m - 1)
//   the mean of m fresh scores may be above that of n claimed runs by kKeptLuck s + t(nu, 1 - chance) s sqrt(1/n + 1/m)
//
// The spread is taken in shares of the score where all scores are above zero, since such metrics vary in proportion, and
// in the metric's own unit else. With few replicates t is large: a young pool's reruns refute gross lies alone, and the
// standing of a candidate is the mean of its fresh seeds in any case. A claim that is worse than its fresh seeds by more than
// noise explains, without the luck, is no result of such a run either: a cautious guess, made to earn the credit for a
// candidate that the claimant never ran. Where a task declares that it has no noise, the run
// is made again with its own seed and must score as it did.
#pragma once

#include <span>
#include <string>

#include "eval/judge/rerun_test.h"
#include "pool/types/score_text.h"

namespace cultivar {

// Scores of the same candidate with several seeds, over any number of candidates.
struct ScoreSpread {
    double squares = 0;   // of the deviations from each candidate's mean
    double relative = 0;  // these in shares of the mean; meaningless unless all_positive
    bool all_positive = true;
    int degrees = 0;  // scores less candidates

    void add(std::span<const double> scores_of_one_candidate);
};

struct ScoreClaim {
    double score = 0;  // as a loss: the mean of its runs
    int runs = 0;
};

// Judged only once there is a replicate: RerunJudgement::judged. `text`: how the task writes its scores.
RerunJudgement judge_score_rerun(const ScoreClaim& claim, std::span<const double> fresh, const ScoreSpread& others,
                                 int looks, const ScoreText& text);
// Of a task without noise: the rerun of `fresh` may differ by what rounding explains. A better one shows too that the
// claimant did not make the run: else credit would go to whoever claims configurations that nobody has tried.
RerunJudgement judge_repeat(const ScoreClaim& claim, std::span<const double> fresh, const ScoreText& text);

}  // namespace cultivar
