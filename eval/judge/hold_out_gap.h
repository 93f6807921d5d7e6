// Was it trained on the validation data? A claim could not know a private hold-out, and a model that has
// seen the slice gains nothing there by it.
//
// The gap of a candidate is its score on the hold-out less its score on the slice. The two texts differ, and better
// models gain more on one of them than on the other: the usual gap at a score is a straight line through the gaps of
// the pool's other candidates, on the same chunks of the same hold-out. A claim with a gap above that line by more than
// chance explains at kGapChance (Student's t for a further observation, the spread of the others never taken below
// kLeastSpread_bpb) was trained on the slice.
//
// False alarms: one honest claim in 10,000 where gaps scatter normally about the line, fewer where they scatter by less
// than the least spread. Others that are themselves out of line, above or below, are left out first, by medians, so that
// cheats make no cheat look usual, and nothing honest unusual, as long as they are few. Below kFewestOthers nothing is judged.
//
// The scores of a pool's own metric have no scale that is known here: there the least spread is the difference by which
// two scores of one artifact may differ, or the least step between two scores of the others, since the accuracy on a few
// hundred examples moves in steps. Such figures are told with three digits: a program that runs in the evaluator could
// write the hold-out into the others.
#pragma once

#include <span>
#include <string>

namespace cultivar {

inline constexpr double kGapChance = 1e-4;
inline constexpr int kFewestOthers = 8;
// Measured over 14 small models of several kinds, on 16 chunks of two parts of one corpus: gaps scatter by 0.0018 and
// 0.0027 about their lines.
inline constexpr double kLeastSpread_bpb = 0.002;

// How gaps scatter at least, and how they are told.
struct GapScale {
    double least_spread = kLeastSpread_bpb;
    bool any_metric = false;  // rather than bits per byte
};

struct Gap {
    double slice_bpb = 0, hold_out_bpb = 0;
    double bpb() const { return hold_out_bpb - slice_bpb; }
};

struct GapJudgement {
    bool judged = false;     // are there enough others?
    bool honest = true;      // as far as judged
    int others = 0;          // left after those out of line
    double gap_bpb = 0;      // of the claim
    double usual_bpb = 0;    // the gap to be expected at its score
    double allowed_bpb = 0;  // above the usual
    std::string reason;      // one line with the figures
};

GapJudgement judge_gap(const Gap& claim, std::span<const Gap> others, const GapScale& scale = {});

}  // namespace cultivar
