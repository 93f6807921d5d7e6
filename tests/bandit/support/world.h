// A small world for the search to live in: a mixed, conditional, constrained space with a known noisy score, and a
// history that grows run by run as a pool's would.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bandit/planner/planner.h"
#include "bandit/policy/keep_test.h"
#include "bandit/space/random.h"

namespace cultivar::testing {

inline const std::string kTask(64, 'a');

Gene whole(std::string name, std::int64_t value, double low, double high);
Gene real(std::string name, double value, double low, double high, bool log_scale = false);
Gene choice(std::string name, std::vector<std::string> choices);

// model.width (structural, multiples of 8), model.heads (structural levels; width is a multiple of 8 heads),
// model.mlp (structural choice), data.tokens (levels, a multiple of data.length), data.length (levels), optim.rate
// (log), optim.kind (choice) and optim.momentum (only with optim.kind = "muon").
Space model_space();

// 2 at the optimum and a bowl around it; width 512 does not fit.
double true_score(const Genes& genes);

Candidate candidate_of(const Space& space, const Genes& changes);

// One trial that was done.
Trial done(const std::string& candidate, double score, Decision decision = Decision::none);

// Adds a candidate and returns its id.
std::string add(History& history, const Candidate& candidate, std::vector<std::string> parents = {}, bool seed = false);

KnownCandidate& known(History& history, const std::string& candidate);

// Takes each gene that differs from either parent, gene by gene; an error where that breaks a constraint.
Crosser mixing_crosser(const Space& space, const History& history);

// One clone: plans, runs and records, `sigma` being the noise of its runs.
class Clone {
public:
    Clone(const Space& space, std::uint64_t seed, double sigma)
        : space_(space), seed_(seed), sigma_(sigma), luck_(seed) {}
    // Error: the planner's.
    Result<Plan> run(History& history);

private:
    const Space& space_;
    std::uint64_t seed_;
    double sigma_;
    Random luck_;
};

}  // namespace cultivar::testing
