// Tier 4 of verification: the candidate trained again with seeds that nobody could have tried. The claim is the best
// score that its writer saw, so a fresh score is a little worse than it as a rule; it must not be worse by more than
// seeds explain. It is looked at after every seed, so that a bad claim costs no more of them.
//
// How much one run varies is learnt from three sources, in shares of the score: the prior, the verifiers' own replicates
// of other candidates in the category (SeedSpread), and the fresh seeds of this candidate themselves. No figure of a
// claimant enters. The variance has a scaled inverse chi-square prior (Gelman et al., Bayesian Data Analysis, 3rd ed.,
// 3.3; Smyth 2004, the moderated t of limma):
//   nu = nu0 + replicates + (m - 1)
//   s^2 = (nu0 s0^2 + squares of the replicates + squares of the m fresh scores) / nu
// and the mean of m fresh scores may be above that of n claimed runs by kKeptLuck s + t(nu, 1 - chance) s sqrt(1/n + 1/m).
//
// s0 = 0.5 % of the score and nu0 = 3, as if three replicates had been seen. Measured spreads lie between 0.03 % (large
// models) and 1.5 % (small ones on a busy laptop); the prior is wide enough for the largest of them. Chosen by a simulation
// of 100,000 honest claims of one run and three looks: without any replicate none is rejected at spreads up to 0.5 %, one in
// 1,000 at 1.5 %, one in 60 at 3 %. With other seeds (verify_bench, 1,000 of each) none of 10 % too good is accepted at
// spreads up to 0.5 % without a replicate, 21 % at 1.5 %; of 2 % too good 0.4 % at a spread of 0.2 % with 20 replicates.
// A smaller lie gains nothing: where fresh seeds exist, the candidate's standing is their mean.
#pragma once

#include <span>
#include <string>

namespace cultivar {

inline constexpr double kRerunChance = 1e-3;  // of rejecting a claim of unpicked runs, over all looks
// By how many standard deviations of one run the mean of a claim's runs may be too good for having been kept:
// bandit/noise keeps after one run a candidate that is 3 better than its parent, and publishes all of them
// (noise_bench: 0.9).
inline constexpr double kKeptLuck = 0.9;

inline constexpr double kPriorSpread = 0.005;  // s0, a share of the score
inline constexpr double kPriorDegrees = 3;     // nu0
// A candidate that varies by more than this share, for instance because it often diverges, teaches no more than this of
// the others.
inline constexpr double kMostSpread = 0.03;

// Scores of the same candidate with several seeds, over any number of candidates.
struct SeedSpread {
    double squares = 0;  // of the deviations from each candidate's mean, in shares of it
    int degrees = 0;     // scores less candidates

    void add(std::span<const double> scores_of_one_candidate);
};

struct RerunJudgement {
    bool accepted = false;
    double sigma_bpb = 0;    // of one run: s
    double allowed_bpb = 0;  // above the claimed mean
    std::string reason;      // one line with the figures
    bool judged = true;      // is there enough to judge by?
    bool too_bad = false;    // is the claim worse than the fresh scores by more than noise explains?
};

// `others`: of the verifiers' own runs in the category, without this candidate. `looks`: how many times a claim is judged
// so at most. Without fresh scores nothing is accepted.
RerunJudgement judge_rerun(double claimed_bpb, int claimed_runs, std::span<const double> fresh_bpb,
                           const SeedSpread& others, int looks = 1);

}  // namespace cultivar
