// Tier 2 of verification: a claim's artifact scored again on secretly drawn chunks of the validation slice. Which
// chunks are drawn is decided after the claim is public, so that a claim must be right on all of them: one that is
// false on a part f of them slips through n drawn ones at (1-f)^n, 1 % for a quarter and 16, and through all 64 never.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cultivar {

// `count` different chunks of 0..63, ascending, from the operating system's randomness.
std::vector<int> draw_chunks(int count);
// All 64 in an order drawn from there.
std::vector<int> draw_order();
// In [0, 1), from there.
double draw_lot();

// Other machines and libraries round differently. Measured on small models: the same weights give the same bits
// whatever the number of threads, and chunk sums within 4e-9 of each other, 6e-9 bits per byte, with other instruction
// sets (AVX2, SSE) and BLAS kernels; a record rounds to 8 digits. The tolerance leaves other kinds of device, which
// were not measured, 30,000 times that, and is a fifth of the smallest gain worth a lie; ten times as much on any
// single chunk. It holds in both directions: weights that are better than claimed are not those of the run, but older ones
// that would stand for a run that was never made.
inline constexpr double kRescoreTolerance_bpb = 0.0002;

struct RescoreJudgement {
    bool accepted = false;
    double claimed_bpb = 0;   // on the drawn chunks, from the claim's own sums
    double measured_bpb = 0;  // on the same chunks
    // The figure that all 64 chunks would give: the claim's own figure, corrected by the mean difference on the drawn
    // ones. Its 95 % interval goes by the spread of these (Student's t, less for the part of all that was drawn).
    double slice_bpb = 0, low_bpb = 0, high_bpb = 0;
    std::string reason;  // one line with the figures
};

// Sums are in nats, `claimed` for all 64 chunks, `measured` for `drawn` in their order. `slice_targets` and
// `slice_bytes` are the pool's: every chunk holds slice_targets / 64 targets, and bytes are taken in proportion.
RescoreJudgement judge_rescore(const std::vector<double>& claimed, const std::vector<int>& drawn,
                               const std::vector<double>& measured, std::int64_t slice_targets,
                               std::int64_t slice_bytes);

}  // namespace cultivar
