// Claims, honest and not, put through the very judgements that `cultivar verify` makes of what it measured, with noise as
// it was measured on real models.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bandit/space/random.h"
#include "benchmarks/common/spread.h"

namespace cultivar {

// Measured with 14 small models on parts of one corpus (eval/judge/rescore_test.h, eval/judge/hold_out_gap.h, train/protocol/replay_spec.h): chunk sums of the
// same weights are within 4e-9 between instruction sets and BLAS kernels, losses of a replay within 2e-6 at worst, gaps
// scatter by up to 0.0027 about their line, chunks differ by 2 % and a candidate's profile of them by 0.2 %. Rounding is
// taken 250 times as large, since no two machines of different make were at hand.
struct ClaimNoise {
    double rounding = 1e-6;          // relative, a chunk's sum
    double trace = 2e-6;             // relative, a step's loss
    double gap_bpb = 0.0027;         // a candidate's, about the line
    double chunk_share = 0.019;      // of the score
    double own_chunk_share = 0.002;  // how a candidate's profile of chunks differs from another's
};

enum class Deceit {
    none,
    edited,    // scores lowered by 0.001 to 0.1 bits per byte, on every chunk
    swapped,   // another candidate's weights, worse by 0.005 to 0.3
    trained,   // on the validation slice: better there by 0.03 to 0.2 than anywhere else
    hidden,    // scores lowered by 0.001 over all, but on one chunk in eight alone, which only all
               // chunks are promised to find
    slightly,  // trained on the validation slice for less: 0.002 to 0.03, which no rule promises to find
    traced,    // another learning rate than it says: losses off by 0.001 to 0.1 after the first step
};

struct SimulatedClaims {
    int claims = 0, accepted = 0;
    Estimate share() const { return share_of(accepted, claims); }
};

// `whole`: as a would-be best is judged, with every chunk; otherwise with as few as any claim is.
SimulatedClaims simulate_claims(Deceit deceit, bool whole, int claims, const ClaimNoise& noise, Random& random);

}  // namespace cultivar
