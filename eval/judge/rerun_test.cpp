#include "eval/judge/rerun_test.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "eval/statistics/significance.h"

namespace cultivar {
namespace {

// The squared deviations of scores from their mean, in shares of it.
double relative_squares(const Moments& scores) {
    if (scores.count < 2 || scores.mean == 0) return 0;
    const double share = scores.deviation / scores.mean;
    return share * share * (scores.count - 1);
}

}  // namespace

void SeedSpread::add(std::span<const double> scores) {
    if (scores.size() < 2) return;
    const Moments one = moments(scores);
    squares += std::min(relative_squares(one), kMostSpread * kMostSpread * (one.count - 1));
    degrees += one.count - 1;
}

RerunJudgement judge_rerun(double claimed_bpb, int claimed_runs, std::span<const double> fresh_bpb,
                           const SeedSpread& others, int looks) {
    const Moments fresh = moments(fresh_bpb);
    const double degrees = kPriorDegrees + others.degrees + std::max(0, fresh.count - 1);
    const double squares = kPriorDegrees * kPriorSpread * kPriorSpread + others.squares + relative_squares(fresh);
    RerunJudgement judgement;
    judgement.sigma_bpb = std::sqrt(squares / degrees) * std::abs(fresh.mean);
    const double error =
        judgement.sigma_bpb * std::sqrt(1.0 / std::max(1, claimed_runs) + 1.0 / std::max(1, fresh.count));
    const double chance = kRerunChance / std::max({1, looks, fresh.count});
    judgement.allowed_bpb = kKeptLuck * judgement.sigma_bpb + student_quantile(1 - chance, degrees) * error;
    judgement.accepted = fresh.count > 0 && fresh.mean - claimed_bpb <= judgement.allowed_bpb;
    judgement.reason = fmt::format(
        "{} fresh seed{} {} {:.4f} where {:.4f} was claimed, {:.4f} more allowed (one run varies by {:.4f}, from {} "
        "replicate{} of others)",
        fresh.count, fresh.count == 1 ? "" : "s", fresh.count == 1 ? "scores" : "score", fresh.mean, claimed_bpb,
        judgement.allowed_bpb, judgement.sigma_bpb, others.degrees, others.degrees == 1 ? "" : "s");
    return judgement;
}

}  // namespace cultivar
