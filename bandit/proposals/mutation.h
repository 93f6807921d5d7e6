// Mutation: a small step from one candidate, and what the pool's history says about which steps pay.
//
// Every (gene, direction) is a small arm: its weight rises with steps that were kept and falls with steps that were
// not. Sizes (bandit/coordinates) start at four times the weight: in a timed run they trade work per step for steps, and
// that is where the first gains lie.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "bandit/history/candidate_stats.h"
#include "bandit/space/random.h"

namespace cultivar {

// Which genes an operator may move.
enum class GeneKind { plain, structural };

class Experience {
public:
    // From the newest 500 candidates with one known parent whose own runs were decided, and the newest 500 of others.
    // Unverified foreign runs count half, and on no arm more than two own runs, however many they are.
    Experience(const Space& space, const CandidateStandings& contenders);
    // `direction`: -1 or +1 for ordered genes, 0 for the others; `gene` is an index into space.genes().
    double weight(std::size_t gene, int direction) const;

private:
    struct Arm {
        double prior = 1, successes = 0, failures = 0;
        double told_paid = 0, told_unpaid = 0;  // by others
    };
    void learn(const Space& space, const CandidateStandings& contenders, const CandidateStats& child);
    Arm& arm(std::size_t gene, int direction) { return arms_[gene][static_cast<std::size_t>(direction + 1)]; }

    std::vector<std::array<Arm, 3>> arms_;
};

// Steps that the runs of a candidate made here, on average; 0 where that is not known. What is counted in steps and
// lies beyond them never takes effect as it was meant in this budget: such genes come first, and are cut to a part of
// the steps there are.
double mean_steps(const CandidateStats& contender);

// A neighbour of `base`: one structural gene moves, or k ~ 1 + Binomial(d - 1, 1/d) of the d active plain ones; ordered
// ones by |N(0, 1)| * 0.2 of their range (log space where declared; the lowest quarter of a linear range is halved or
// doubled), the others to another value. Genes of either kind may follow to keep the constraints. Nothing: no gene can
// move, or the constraints could not be kept.
std::optional<Genes> mutate(const Space& space, const Genes& base, GeneKind kind, const Experience& experience,
                            double steps_made, Random& random);

// The step that led from `before` to `base` once more, 0.5 to 1.5 times as long (the pattern move of Hooke and Jeeves
// 1961). Nothing: that step moved no ordered gene of this kind.
std::optional<Genes> follow(const Space& space, const Genes& before, const Genes& base, GeneKind kind, Random& random);

}  // namespace cultivar
