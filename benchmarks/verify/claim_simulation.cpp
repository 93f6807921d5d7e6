#include "benchmarks/verify/claim_simulation.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "eval/judge/audit_cost.h"
#include "eval/judge/hold_out_gap.h"
#include "eval/judge/profile_match.h"
#include "eval/judge/rerun_test.h"
#include "eval/judge/rescore_test.h"
#include "train/protocol/replay_spec.h"

namespace cultivar {
namespace {

constexpr std::int64_t kTargets = 64 * 4096, kBytes = 64 * 4096;
constexpr int kOthers = 20;

// The validation slice with the difficulty of each chunk.
struct Slice {
    std::vector<double> difficulty;
    Slice(const ClaimNoise& noise, Random& random) {
        for (int chunk = 0; chunk < kScoreChunks; ++chunk)
            difficulty.push_back(std::max(0.5, 1 + noise.chunk_share * random.normal()));
        const double mean = std::accumulate(difficulty.begin(), difficulty.end(), 0.0) / kScoreChunks;
        for (double& one : difficulty) one /= mean;
    }
};

double nats(double bpb) { return bpb * std::numbers::ln2 * static_cast<double>(kBytes) / kScoreChunks; }
double between(double low, double high, Random& random) { return low * std::pow(high / low, random.uniform()); }

std::vector<double> sums_of(double bpb, const Slice& slice, const ClaimNoise& noise, Random& random) {
    std::vector<double> sums;
    for (double difficulty : slice.difficulty)
        sums.push_back(nats(bpb * difficulty * (1 + noise.own_chunk_share * random.normal())));
    return sums;
}

double score_of(const std::vector<double>& sums) {
    return std::accumulate(sums.begin(), sums.end(), 0.0) / std::numbers::ln2 / static_cast<double>(kBytes);
}

Gap honest_gap(double bpb, const ClaimNoise& noise, Random& random) {
    return {bpb, bpb + 0.03 - 0.1 * (bpb - 2) + noise.gap_bpb * random.normal()};
}

struct Simulated {
    std::vector<double> claimed, weights;  // claimed sums, and the true sums of the weights
    Gap gap;
    double trace_off = 0;
};

Simulated simulate(Deceit deceit, const Slice& slice, const ClaimNoise& noise, Random& random) {
    const double bpb = 1.8 + 0.4 * random.uniform();
    Simulated claim;
    claim.weights = claim.claimed = sums_of(bpb, slice, noise, random);
    claim.gap = honest_gap(score_of(claim.weights), noise, random);
    claim.trace_off = noise.trace * std::abs(random.normal());
    if (deceit == Deceit::edited) {
        const double by = nats(between(0.001, 0.1, random));
        for (double& sum : claim.claimed) sum -= by;
    }
    if (deceit == Deceit::hidden) {
        for (std::size_t i = 0; i < kScoreChunks; i += 8) claim.claimed[i] -= nats(0.008);
    }
    if (deceit == Deceit::swapped) claim.weights = sums_of(bpb + between(0.005, 0.3, random), slice, noise, random);
    if (deceit == Deceit::trained || deceit == Deceit::slightly) {
        const double by = deceit == Deceit::trained ? between(0.03, 0.2, random) : between(0.002, 0.03, random);
        for (std::size_t i = 0; i < kScoreChunks; ++i) claim.weights[i] = claim.claimed[i] -= nats(by);
        claim.gap.slice_bpb -= by;
    }
    if (deceit == Deceit::traced) claim.trace_off += between(0.001, 0.1, random);
    return claim;
}

bool accepts(const Simulated& claim, const std::vector<Gap>& others, bool whole, const ClaimNoise& noise,
             Random& random) {
    const std::vector<int> chunks = draw_chunks(whole ? kScoreChunks : kFewestChunks);
    std::vector<double> measured;
    for (int chunk : chunks)
        measured.push_back(claim.weights[static_cast<std::size_t>(chunk)] * (1 + noise.rounding * random.normal()));
    if (!judge_rescore(claim.claimed, chunks, measured, kTargets, kBytes).accepted) return false;
    if (!judge_gap(claim.gap, others).honest) return false;
    const std::vector<double> recorded = {5, 4}, replayed = {5, 4 * (1 + claim.trace_off)};
    return trace_deviation(recorded, replayed) <= kTraceTolerance;
}

}  // namespace

SimulatedClaims simulate_claims(Deceit deceit, bool whole, int claims, const ClaimNoise& noise, Random& random) {
    SimulatedClaims result;
    for (; result.claims < claims; ++result.claims) {
        const Slice slice(noise, random);
        std::vector<Gap> others;
        for (int i = 0; i < kOthers; ++i) others.push_back(honest_gap(1.8 + 0.4 * random.uniform(), noise, random));
        result.accepted += accepts(simulate(deceit, slice, noise, random), others, whole, noise, random);
    }
    return result;
}

SimulatedClaims simulate_reruns(const RerunCase& one, int claims, Random& random) {
    constexpr double kScore = 2;
    constexpr int kLooks = 3;
    const auto run = [&] { return kScore * (1 + one.spread * random.normal()); };
    SimulatedClaims result;
    for (; result.claims < claims; ++result.claims) {
        SeedSpread others;
        for (int i = 0; i < one.replicates; ++i) others.add(std::vector<double>{run(), run()});
        const double claimed = run() - one.lie * kScore;
        std::vector<double> fresh;
        bool accepted = true;
        while (accepted && static_cast<int>(fresh.size()) < kLooks) {
            fresh.push_back(run());
            accepted = judge_rerun(claimed, 1, fresh, others, kLooks).accepted;
        }
        result.accepted += accepted;
    }
    return result;
}

SimulatedClaims simulate_origins(double blur, bool whole, int claims, const ClaimNoise& noise, Random& random) {
    constexpr int kKnown = 12, kSuspects = 64;
    const std::size_t chunks = whole ? kScoreChunks : kFewestChunks;
    SimulatedClaims result;
    for (; result.claims < claims; ++result.claims) {
        const Slice slice(noise, random);
        const auto training = [&] {
            std::vector<double> sums = sums_of(2, slice, noise, random);
            sums.resize(chunks);
            return sums;
        };
        std::vector<Profile> trainings, suspects;
        for (int i = 0; i < kKnown; ++i) trainings.push_back({"known", training()});
        suspects = trainings;
        for (int i = 0; i < kSuspects; ++i) suspects.push_back({"near", training()});
        std::vector<double> measured = blur > 0 ? trainings.front().chunk_sums : training();
        for (double& sum : measured) sum *= 1 + blur * random.normal();
        result.accepted += taken_from(measured, suspects, trainings).empty();
    }
    return result;
}

}  // namespace cultivar
