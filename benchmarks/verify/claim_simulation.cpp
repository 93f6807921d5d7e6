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

// The difficulty of each chunk of a validation slice.
std::vector<double> draw_difficulty(const ClaimNoise& noise, Random& random) {
    std::vector<double> difficulty;
    for (int chunk = 0; chunk < kScoreChunks; ++chunk)
        difficulty.push_back(std::max(0.5, 1 + noise.chunk_share * random.normal()));
    const double mean = std::accumulate(difficulty.begin(), difficulty.end(), 0.0) / kScoreChunks;
    for (double& one : difficulty) one /= mean;
    return difficulty;
}

double nats(double bpb) { return bpb * std::numbers::ln2 * static_cast<double>(kBytes) / kScoreChunks; }
double between(double low, double high, Random& random) { return low * std::pow(high / low, random.uniform()); }

std::vector<double> sums_of(double bpb, const std::vector<double>& slice, const ClaimNoise& noise, Random& random) {
    std::vector<double> sums;
    for (double difficulty : slice)
        sums.push_back(nats(bpb * difficulty * (1 + noise.own_chunk_share * random.normal())));
    return sums;
}

double score_of(const std::vector<double>& sums) {
    return std::accumulate(sums.begin(), sums.end(), 0.0) / std::numbers::ln2 / static_cast<double>(kBytes);
}

Gap honest_gap(double bpb, const ClaimNoise& noise, Random& random) {
    return {bpb, bpb + 0.03 - 0.1 * (bpb - 2) + noise.gap_bpb * random.normal()};
}

}  // namespace

double SimulatedClaim::claimed_bpb() const { return score_of(claimed); }

ClaimSource::ClaimSource(const ClaimNoise& noise, Random& random)
    : noise_(noise), random_(random), difficulty_(draw_difficulty(noise, random)) {
    for (int i = 0; i < kOthers; ++i) others_.push_back(honest_gap(1.8 + 0.4 * random.uniform(), noise, random));
}

SimulatedClaim ClaimSource::make(Deceit deceit) {
    const double bpb = 1.8 + 0.4 * random_.uniform();
    SimulatedClaim claim;
    claim.weights = claim.claimed = sums_of(bpb, difficulty_, noise_, random_);
    claim.retrained_bpb = score_of(claim.weights);
    claim.gap = honest_gap(claim.retrained_bpb, noise_, random_);
    claim.trace_off = noise_.trace * std::abs(random_.normal());
    const auto lower = [](std::vector<double>& sums, double bits) {
        for (double& sum : sums) sum -= nats(bits);
    };
    switch (deceit) {
        case Deceit::none:
            break;
        case Deceit::edited:
            lower(claim.claimed, between(0.001, 0.1, random_));
            break;
        case Deceit::hidden:
            for (std::size_t i = 0; i < kScoreChunks; i += 8) claim.claimed[i] -= nats(0.008);
            break;
        case Deceit::swapped:
            claim.weights = sums_of(bpb + between(0.005, 0.3, random_), difficulty_, noise_, random_);
            break;
        case Deceit::trained:
        case Deceit::slightly: {
            const double by = deceit == Deceit::trained ? between(0.03, 0.2, random_) : between(0.002, 0.03, random_);
            lower(claim.claimed, by);
            claim.weights = claim.claimed;
            claim.gap.slice_bpb -= by;
            break;
        }
        case Deceit::traced:
            claim.trace_off += between(0.001, 0.1, random_);
            claim.retrained_bpb += between(0.001, 0.1, random_);
            break;
        case Deceit::longer: {
            const double by = between(0.01, 0.1, random_);
            lower(claim.claimed, by);
            claim.weights = claim.claimed;
            claim.gap = honest_gap(score_of(claim.weights), noise_, random_);
            break;
        }
    }
    return claim;
}

bool ClaimSource::passes_scoring(const SimulatedClaim& claim, bool whole) {
    const std::vector<int> chunks = draw_chunks(whole ? kScoreChunks : kFewestChunks);
    std::vector<double> measured;
    for (int chunk : chunks)
        measured.push_back(claim.weights[static_cast<std::size_t>(chunk)] * (1 + noise_.rounding * random_.normal()));
    return judge_rescore(claim.claimed, chunks, measured, kTargets, kBytes).accepted &&
           judge_gap(claim.gap, others_).honest;
}

bool ClaimSource::passes_replay(const SimulatedClaim& claim) const {
    const std::vector<double> recorded = {5, 4}, replayed = {5, 4 * (1 + claim.trace_off)};
    return trace_deviation(recorded, replayed) <= kTraceTolerance;
}

double ClaimSource::fresh_seed(const SimulatedClaim& claim, double spread) {
    return claim.retrained_bpb * (1 + spread * random_.normal());
}

SimulatedClaims simulate_claims(Deceit deceit, bool whole, int claims, const ClaimNoise& noise, Random& random) {
    SimulatedClaims result;
    for (; result.claims < claims; ++result.claims) {
        ClaimSource source(noise, random);
        const SimulatedClaim claim = source.make(deceit);
        result.accepted += source.passes_scoring(claim, whole) && source.passes_replay(claim);
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
        const std::vector<double> slice = draw_difficulty(noise, random);
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
