// Tier 4 of verification: the candidate trained again with seeds that nobody could have tried. The claim is the best
// score that its writer saw, so a fresh score is a little worse than it as a rule; it must not be worse by more than
// seeds explain. It is looked at after every seed, so that a bad claim costs no more of them.
#pragma once

#include <span>
#include <string>

namespace cultivar {

inline constexpr double kRerunChance = 1e-3;  // of rejecting a claim of unpicked runs, over all looks
// By how many standard deviations of one run the mean of a claim's runs may be too good for having been kept:
// bandit/noise keeps after one run a candidate that is 3 better than its parent, and publishes all of them
// (noise_bench: 0.9).
inline constexpr double kKeptLuck = 0.9;

struct RerunJudgement {
    bool accepted = false;
    double allowed_bpb = 0;  // above the claimed mean
    std::string reason;
};

// `sigma` of one run's score, with its degrees of freedom (bandit/policy/keep_test.h): Student's t for the difference
// of two means. `looks`: how many times a claim is judged so at most.
RerunJudgement judge_rerun(double claimed_bpb, int claimed_runs, std::span<const double> fresh_bpb, double sigma,
                           int degrees_of_freedom, int looks = 1);

}  // namespace cultivar
