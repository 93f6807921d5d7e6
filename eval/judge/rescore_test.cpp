#include "eval/judge/rescore_test.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

#include "eval/statistics/significance.h"
#include "pool/util/secret_random.h"

namespace cultivar {
namespace {

constexpr int kChunks = 64;
constexpr double kSingleChunkFactor = 10;

// How far the mean over all chunks may be from that over the drawn ones, which are `values`.
double half_interval(const std::vector<double>& values) {
    const auto interval = mean_interval(values, kConfidence);
    if (!interval) return 0;
    const double left = 1 - static_cast<double>(values.size()) / kChunks;
    return (interval->high - interval->low) / 2 * std::sqrt(std::max(0.0, left));
}

}  // namespace

std::vector<int> draw_order() {
    std::vector<int> all(kChunks);
    std::iota(all.begin(), all.end(), 0);
    SecretRandom secret;
    for (int i = 0; i < kChunks; ++i) {
        auto left = static_cast<unsigned>(kChunks - i);
        unsigned draw = secret();
        while (draw >= SecretRandom::max() - SecretRandom::max() % left) draw = secret();  // no bias
        std::swap(all[static_cast<std::size_t>(i)], all[static_cast<std::size_t>(i) + draw % left]);
    }
    return all;
}

std::vector<int> draw_chunks(int count) {
    std::vector<int> all = draw_order();
    all.resize(static_cast<std::size_t>(count));
    std::sort(all.begin(), all.end());
    return all;
}

double draw_lot() {
    SecretRandom secret;
    return std::ldexp(static_cast<double>(secret()), -32);
}

RescoreJudgement judge_rescore(const std::vector<double>& claimed, const std::vector<int>& drawn,
                               const std::vector<double>& measured, std::int64_t slice_targets,
                               std::int64_t slice_bytes) {
    const double per_chunk = static_cast<double>(slice_targets) / kChunks;
    const double bpb_per_nat =
        static_cast<double>(slice_targets) / static_cast<double>(slice_bytes) / std::numbers::ln2;
    double claimed_sum = 0, measured_sum = 0, worst_bpb = 0;
    int worst = -1;
    std::vector<double> above;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        const double said = claimed[static_cast<std::size_t>(drawn[i])];
        claimed_sum += said;
        measured_sum += measured[i];
        above.push_back((measured[i] - said) / per_chunk * bpb_per_nat);
        if (std::abs(above.back()) > std::abs(worst_bpb)) {
            worst_bpb = above.back();
            worst = drawn[i];
        }
    }
    const double targets = per_chunk * static_cast<double>(drawn.size());
    RescoreJudgement judgement;
    judgement.claimed_bpb = claimed_sum / targets * bpb_per_nat;
    judgement.measured_bpb = measured_sum / targets * bpb_per_nat;
    const double gap = judgement.measured_bpb - judgement.claimed_bpb;
    judgement.slice_bpb =
        std::accumulate(claimed.begin(), claimed.end(), 0.0) / static_cast<double>(slice_targets) * bpb_per_nat + gap;
    const double half = half_interval(above);
    judgement.low_bpb = judgement.slice_bpb - half;
    judgement.high_bpb = judgement.slice_bpb + half;
    const std::string figures = fmt::format("{:.6f} measured, {:.6f} claimed on {} of {} chunks",
                                            judgement.measured_bpb, judgement.claimed_bpb, drawn.size(), kChunks);
    if (!(gap <= kRescoreTolerance_bpb)) {
        judgement.reason = fmt::format("the artifact does not reach its score: {}", figures);
    } else if (gap < -kRescoreTolerance_bpb) {
        judgement.reason = fmt::format("the artifact is not its run's, it is better than claimed: {}", figures);
    } else if (std::abs(worst_bpb) > kSingleChunkFactor * kRescoreTolerance_bpb) {
        judgement.reason = fmt::format("the artifact is {:.4f} bits per byte {} than claimed on chunk {}",
                                       std::abs(worst_bpb), worst_bpb > 0 ? "worse" : "better", worst);
    } else {
        judgement.accepted = true;
        judgement.reason =
            fmt::format("the artifact measures {:+.6f} bits per byte against its claim on {} of {} chunks", gap,
                        drawn.size(), kChunks);
    }
    return judgement;
}

}  // namespace cultivar
