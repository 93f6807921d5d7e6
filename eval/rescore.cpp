#include "eval/rescore.h"

#include <algorithm>
#include <numbers>
#include <numeric>
#include <random>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr int kChunks = 64;
constexpr double kSingleChunkFactor = 10;

}  // namespace

std::vector<int> draw_chunks(int count) {
    std::vector<int> all(kChunks);
    std::iota(all.begin(), all.end(), 0);
    std::random_device secret;
    for (int i = 0; i < count; ++i) {
        auto left = static_cast<unsigned>(kChunks - i);
        unsigned draw = secret();
        while (draw >= std::random_device::max() - std::random_device::max() % left) draw = secret();  // no bias
        std::swap(all[static_cast<std::size_t>(i)], all[static_cast<std::size_t>(i) + draw % left]);
    }
    all.resize(static_cast<std::size_t>(count));
    std::sort(all.begin(), all.end());
    return all;
}

RescoreJudgement judge_rescore(const std::vector<double>& claimed, const std::vector<int>& drawn,
                               const std::vector<double>& measured, std::int64_t slice_targets,
                               std::int64_t slice_bytes) {
    double per_chunk = static_cast<double>(slice_targets) / kChunks;
    double bpb_per_nat = static_cast<double>(slice_targets) / static_cast<double>(slice_bytes) / std::numbers::ln2;
    double claimed_sum = 0, measured_sum = 0, worst_bpb = 0;
    int worst = -1;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        double said = claimed[static_cast<std::size_t>(drawn[i])];
        claimed_sum += said;
        measured_sum += measured[i];
        double above_bpb = (measured[i] - said) / per_chunk * bpb_per_nat;
        if (above_bpb > worst_bpb) {
            worst_bpb = above_bpb;
            worst = drawn[i];
        }
    }
    double targets = per_chunk * static_cast<double>(drawn.size());
    RescoreJudgement judgement;
    judgement.claimed_bpb = claimed_sum / targets * bpb_per_nat;
    judgement.measured_bpb = measured_sum / targets * bpb_per_nat;
    double gap = judgement.measured_bpb - judgement.claimed_bpb;
    std::string figures = fmt::format("{:.6f} measured, {:.6f} claimed on {} of {} chunks", judgement.measured_bpb,
                                      judgement.claimed_bpb, drawn.size(), kChunks);
    if (gap > kRescoreTolerance_bpb) {
        judgement.reason = fmt::format("the artifact does not reach its score: {}", figures);
    } else if (worst_bpb > kSingleChunkFactor * kRescoreTolerance_bpb) {
        judgement.reason =
            fmt::format("the artifact is {:.4f} bits per byte worse than claimed on chunk {}", worst_bpb, worst);
    } else {
        judgement.accepted = true;
        judgement.reason =
            fmt::format("the artifact measures {:+.6f} bits per byte against its claim on {} of {} chunks", gap,
                        drawn.size(), kChunks);
    }
    return judgement;
}

}  // namespace cultivar
