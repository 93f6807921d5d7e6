// Mutation: a small step from one candidate, and the experience of which steps succeed in the pool's history.
//
// Every (gene, direction) is a small arm: steps that were kept raise its weight, the others lower it. Sizes
// (bandit/space/coordinates.h) start at four times the weight: in a timed run they trade work per step for steps, and
// the first gains lie there.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "bandit/history/candidate_stats.h"
#include "bandit/space/random.h"

namespace cultivar {

// The genes that an operator may move.
enum class GeneKind { plain, structural };

class Experience {
public:
    // Learns from the newest 500 candidates with one known parent and decided own runs, and the newest 500 of others.
    // Unverified foreign runs count half, and on each arm at most as much as two own runs.
    Experience(const Space& space, const CandidateTable& candidates);
    // `direction`: -1 or +1 for ordered genes, 0 for the others. `gene`: an index into space.genes().
    double weight(std::size_t gene, int direction) const;

private:
    struct Arm {
        double prior = 1, successes = 0, failures = 0;
        double foreign_successes = 0, foreign_failures = 0;  // by unverified runs of others
    };
    void learn(const Space& space, const CandidateTable& candidates, const CandidateStats& child);
    Arm& arm(std::size_t gene, int direction) { return arms_[gene][static_cast<std::size_t>(direction + 1)]; }

    std::vector<std::array<Arm, 3>> arms_;
};

// Returns the mean number of steps in the candidate's own runs; 0 if unknown. A gene that is counted in steps and lies
// beyond this number never takes effect within the budget: mutate() prefers such genes and cuts them to a fraction of
// the steps available.
double mean_steps(const CandidateStats& stats);

// Returns a neighbour of `base`: one structural gene moves, or k ~ 1 + Binomial(d - 1, 1/d) of the d active plain
// genes. Ordered genes move by |N(0, 1)| * 0.2 of their range (log space where declared; in the lowest quarter of a
// linear range they are halved or doubled), the others to another value. Genes of either kind may follow to keep the
// constraints. Nothing if no gene can move or the constraints could not be kept.
std::optional<Genes> mutate(const Space& space, const Genes& base, GeneKind kind, const Experience& experience,
                            double steps_made, Random& random);

// Repeats the step from `before` to `base`, 0.5 to 1.5 times as long (the pattern move of Hooke and Jeeves 1961).
// Nothing if that step moved no ordered gene of this kind.
std::optional<Genes> follow(const Space& space, const Genes& before, const Genes& base, GeneKind kind, Random& random);

}  // namespace cultivar
