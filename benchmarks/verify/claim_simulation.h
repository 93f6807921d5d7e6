// Simulates honest and dishonest claims with measured noise and gives them to the same judgements that `cultivar
// verify` uses.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bandit/space/random.h"
#include "benchmarks/common/spread.h"
#include "eval/judge/hold_out_gap.h"

namespace cultivar {

// Noise measured with 14 small models on parts of one corpus (eval/judge/rescore_test.h, eval/judge/hold_out_gap.h,
// train/protocol/replay_spec.h). Chunk sums of the same weights are within 4e-9 between instruction sets and BLAS
// kernels. Losses of a replay are within 2e-6 at worst. Gaps scatter by up to 0.0027 about their line. Chunks differ by
// 2 %, and a candidate's profile of them by 0.2 %. Rounding is taken 250 times as large, since no two machines of
// different make were available.
struct ClaimNoise {
    double rounding = 1e-6;          // relative, of a chunk's sum
    double trace = 2e-6;             // relative, of a step's loss
    double gap_bpb = 0.0027;         // of a candidate's gap about the line
    double chunk_share = 0.019;      // difference between chunks, relative to the score
    double own_chunk_share = 0.002;  // difference between two candidates' profiles of chunks
};

enum class Deceit {
    none,
    edited,    // scores lowered by 0.001 to 0.1 bits per byte, on every chunk
    swapped,   // another candidate's weights, worse by 0.005 to 0.3
    trained,   // on the validation slice: better there by 0.03 to 0.2 than anywhere else
    hidden,    // scores lowered by 0.001 in total, on one chunk in eight alone; only scoring all
               // chunks is promised to find it
    slightly,  // trained on the validation slice for 0.002 to 0.03; no rule promises to find it
    traced,    // another learning rate than claimed: losses off by 0.001 to 0.1 after the first step
    longer,    // trained on after the budget, so that it scores better by 0.01 to 0.1; only a rerun can find it
};

// A claim as its records tell it, and the truth.
struct SimulatedClaim {
    std::vector<double> claimed, weights;  // claimed sums of the chunks, and the true sums of the weights
    Gap gap;
    double trace_off = 0;
    double retrained_bpb = 0;  // the mean score of honest trainings of its configuration

    double claimed_bpb() const;
};

// Claims of one pool, with the gaps of candidates that are known there.
class ClaimSource {
public:
    ClaimSource(const ClaimNoise& noise, Random& random);
    SimulatedClaim make(Deceit deceit);
    // The tiers of `cultivar verify`. `whole`: on every chunk, else on the smallest number of chunks for any claim.
    bool passes_scoring(const SimulatedClaim& claim, bool whole);
    bool passes_replay(const SimulatedClaim& claim) const;
    double fresh_seed(const SimulatedClaim& claim, double spread);

private:
    const ClaimNoise& noise_;
    Random& random_;
    std::vector<double> difficulty_;  // of each chunk
    std::vector<Gap> others_;
};

struct SimulatedClaims {
    int claims = 0, accepted = 0;
    Estimate share() const { return share_of(accepted, claims); }
};

// `whole`: judged as a claimed best is, on every chunk; otherwise on the smallest number of chunks for any claim.
SimulatedClaims simulate_claims(Deceit deceit, bool whole, int claims, const ClaimNoise& noise, Random& random);

// A claim of one run that three fresh seeds look at one after the other.
struct RerunCase {
    double spread = 0.002;  // standard deviation of one run, a share of its score
    int replicates = 0;     // of other candidates, known before
    double lie = 0;         // by this share the claim is better than its run
};
SimulatedClaims simulate_reruns(const RerunCase& one, int claims, Random& random);

// Weights taken from one of twelve known trainings and blurred until the losses of chunks differ by `blur` (a share); 0: an
// honest training. Accepted: not told from a training of its own, among 64 runs of nearly its score.
SimulatedClaims simulate_origins(double blur, bool whole, int claims, const ClaimNoise& noise, Random& random);

}  // namespace cultivar
