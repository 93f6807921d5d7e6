#include "eval/judge/rerun_test.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "eval/statistics/significance.h"

namespace cultivar {

RerunJudgement judge_rerun(double claimed_bpb, int claimed_runs, std::span<const double> fresh_bpb, double sigma,
                           int degrees_of_freedom, int looks) {
    const Moments fresh = moments(fresh_bpb);
    const double error = sigma * std::sqrt(1.0 / std::max(1, claimed_runs) + 1.0 / std::max(1, fresh.count));
    RerunJudgement judgement;
    const double chance = kRerunChance / std::max(1, looks);
    judgement.allowed_bpb = kKeptLuck * sigma + student_quantile(1 - chance, std::max(1, degrees_of_freedom)) * error;
    judgement.accepted = fresh.count > 0 && fresh.mean - claimed_bpb <= judgement.allowed_bpb;
    judgement.reason = fmt::format("{} fresh seed{} {} {:.4f} where {:.4f} was claimed, {:.4f} more allowed",
                                   fresh.count, fresh.count == 1 ? "" : "s", fresh.count == 1 ? "scores" : "score",
                                   fresh.mean, claimed_bpb, judgement.allowed_bpb);
    return judgement;
}

}  // namespace cultivar
