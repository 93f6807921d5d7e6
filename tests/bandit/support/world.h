// A small world for tests of the search: a mixed, conditional, constrained space with a known noisy score, and a
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

// The genes are model.width (structural, multiples of 8), model.heads (structural levels; width is a multiple of 8
// heads), model.mlp (structural choice), data.tokens (levels, a multiple of data.length), data.length (levels),
// optim.rate (log), optim.kind (choice) and optim.momentum (only with optim.kind = "muon").
Space model_space();

// Returns 2 at the optimum and a bowl around it. Width 512 does not fit.
double true_score(const Genes& genes);

Candidate candidate_of(const Space& space, const Genes& changes);

// A trial with status done.
Trial done(const std::string& candidate, double score, Decision decision = Decision::none);

// Adds a candidate and returns its id.
std::string add(History& history, const Candidate& candidate, std::vector<std::string> parents = {}, bool seed = false);

KnownCandidate& known(History& history, const std::string& candidate);

// Returns a crosser that takes each gene that differs from either parent. It fails if that breaks a constraint.
Crosser mixing_crosser(const Space& space, const History& history);

// A clone that plans, runs and records. `sigma`: the noise of its runs.
class Clone {
public:
    Clone(const Space& space, std::uint64_t seed, double sigma)
        : space_(space), seed_(seed), sigma_(sigma), luck_(seed) {}
    // Errors: those of the planner.
    Result<Plan> run(History& history);

private:
    const Space& space_;
    std::uint64_t seed_;
    double sigma_;
    Random luck_;
};

}  // namespace cultivar::testing
