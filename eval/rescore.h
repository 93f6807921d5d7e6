// Tier 2 of verification: a claim's artifact scored again on secretly drawn chunks of the validation slice. Which
// chunks are drawn is decided after the claim is public, so that a claim must be right on all of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cultivar {

inline constexpr int kRescoreChunks = 16;  // of 64; a claim that is false on f of them slips through at (1-f)^16

// `count` different chunks of 0..63, ascending, from the operating system's randomness.
std::vector<int> draw_chunks(int count);

struct RescoreJudgement {
    bool accepted = false;
    double claimed_bpb = 0;   // on the drawn chunks, from the claim's own sums
    double measured_bpb = 0;  // on the same chunks
    std::string reason;       // one line with the figures
};

// Other machines and libraries round differently: the same weights agree to about 1e-4 bits per byte. Accepted when the
// measured figure is at most `tolerance_bpb` above the claimed one over the drawn chunks, and at most ten times that on
// any single chunk; a claim that is worse than the artifact deserves is no fraud.
inline constexpr double kRescoreTolerance_bpb = 0.001;

// Sums are in nats, `claimed` for all 64 chunks, `measured` for `drawn` in their order. `slice_targets` and
// `slice_bytes` are the pool's: every chunk holds slice_targets / 64 targets, and bytes are taken in proportion.
RescoreJudgement judge_rescore(const std::vector<double>& claimed, const std::vector<int>& drawn,
                               const std::vector<double>& measured, std::int64_t slice_targets,
                               std::int64_t slice_bytes);

}  // namespace cultivar
