#include "eval/judge/score_rerun.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "eval/statistics/significance.h"
#include "pool/types/evaluator.h"

namespace cultivar {
namespace {

std::string seeds_text(const Moments& fresh) {
    return fmt::format("{} fresh seed{} score{}", fresh.count, fresh.count == 1 ? "" : "s",
                       fresh.count == 1 ? "s" : "");
}

}  // namespace

void ScoreSpread::add(std::span<const double> scores) {
    if (scores.size() < 2) return;
    const Moments one = moments(scores);
    const double sum = one.deviation * one.deviation * (one.count - 1);
    squares += sum;
    degrees += one.count - 1;
    all_positive = all_positive && std::ranges::all_of(scores, [](double score) { return score > 0; });
    if (all_positive) relative += sum / (one.mean * one.mean);
}

RerunJudgement judge_score_rerun(const ScoreClaim& claim, std::span<const double> fresh_scores,
                                 const ScoreSpread& others, int looks, const ScoreText& text) {
    const Moments fresh = moments(fresh_scores);
    ScoreSpread all = others;
    all.add(fresh_scores);
    RerunJudgement judgement;
    judgement.judged = all.degrees > 0;
    judgement.accepted = true;
    if (!judgement.judged) {
        judgement.reason =
            fmt::format("{} {}: one more is needed to tell luck from a lie", seeds_text(fresh), text.of(fresh.mean));
        return judgement;
    }
    const bool in_shares = all.all_positive && claim.score > 0 && fresh.mean > 0;
    const double unit = in_shares ? std::abs(fresh.mean) : 1;
    judgement.sigma_bpb = unit * std::sqrt((in_shares ? all.relative : all.squares) / all.degrees);
    const double error =
        judgement.sigma_bpb * std::sqrt(1.0 / std::max(1, claim.runs) + 1.0 / std::max(1, fresh.count));
    const double chance = kRerunChance / std::max({1, looks, fresh.count});
    const double by_chance =
        student_quantile(1 - chance, all.degrees) * error + score_rounding(fresh.mean, claim.score);
    judgement.allowed_bpb = kKeptLuck * judgement.sigma_bpb + by_chance;
    judgement.accepted = fresh.mean - claim.score <= judgement.allowed_bpb;
    judgement.too_bad = claim.score - fresh.mean > by_chance;
    judgement.reason =
        fmt::format("{} {} where {} was claimed, {} worse allowed (one run varies by {}, from {} replicate{})",
                    seeds_text(fresh), text.of(fresh.mean), text.of(claim.score), text.error(judgement.allowed_bpb),
                    text.error(judgement.sigma_bpb), all.degrees, all.degrees == 1 ? "" : "s");
    return judgement;
}

RerunJudgement judge_repeat(const ScoreClaim& claim, std::span<const double> fresh_scores, const ScoreText& text) {
    const Moments fresh = moments(fresh_scores);
    RerunJudgement judgement;
    judgement.allowed_bpb = score_rounding(fresh.mean, claim.score);
    judgement.accepted = fresh.count > 0 && std::abs(fresh.mean - claim.score) <= judgement.allowed_bpb;
    judgement.reason = fmt::format("made again it scores {} where {} was claimed, and the task has no noise",
                                   text.of(fresh.mean), text.of(claim.score));
    return judgement;
}

}  // namespace cultivar
