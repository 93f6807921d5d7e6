// How much of each tier a claim is worth: fewer chunks and steps for cheap claims.
//
// Tiers 1 and 2 together stay within kCheapShare of the claim's own cost and tier 3 within kReplayShare, by the speed
// on the claim's record; below kFewestChunks and kFewestSteps they do not go, since the start of a worker alone is more
// than the share of a run of seconds. A claim that overstates its speed gets more chunks than it should, one that
// understates it fewer, but never fewer than those.
#pragma once

#include "pool/types/audit.h"
#include "pool/types/record.h"

namespace cultivar {

inline constexpr double kCheapShare = 0.02, kReplayShare = 0.10;
inline constexpr int kFewestChunks = 8, kUsualChunks = 16;  // of 64
inline constexpr int kFewestSteps = 4;                      // of a replay, or all that there are
inline constexpr double kStart_s = 1;                       // a worker, until it scores: libtorch, data, weights
inline constexpr double kPassesPerStep = 2.5;  // a training step costs as much as scoring that many times its tokens

// Seconds that one chunk of `targets` targets takes the claimant's machine.
double chunk_seconds(const Run& run, double targets);

struct AuditCost {
    int slice_chunks = kFewestChunks;
    int hold_out_chunks = kFewestChunks;
    double expected_s = 0;
};

enum class ScoredParts { slice, slice_and_hold_out };

// How many chunks to score, and the expected seconds. `claim_s`: the wall time of the claim's runs. The hold-out has
// chunks of the slice's size. More than a sample is every chunk of the slice at any cost, and the usual share of the
// hold-out.
AuditCost rescore_effort(const Run& run, double claim_s, double slice_targets, ScoredParts parts, AuditExtent extent);

// Of one run: the first steps that fit its share; 0 where it cannot be replayed (eval/judge/structure_check.h).
int replay_steps(const Run& run);

// A verifier's job may take this long beside this many times the seconds that are expected of it: another job may be in
// its way, and a machine that sleeps. The former alone is for starting it. Where this machine measured nothing yet, any
// job may take kUnmeasuredLimit_s.
inline constexpr double kLeastJobLimit_s = 60, kJobPatience = 4, kUnmeasuredLimit_s = 300;

}  // namespace cultivar
