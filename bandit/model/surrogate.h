// What a run of a candidate nobody has tried would score: a Gaussian process over what was scored here.
//
// It is told ranks, not scores: the n scores become the n normal quantiles, so that neither a metric's scale nor a run
// that went wild bends it; what could not be judged here ranks last. Of a large history it looks at 160 candidates: the
// best and the newest in turn. How the runs in flight may end is imagined sixteen times over; a gain is one on them too,
// and counts as its mean over these futures, so that workers apart spread out (Snoek, Larochelle and Adams 2012).
//
// Before anything was seen, what a gene does reaches further the more genes there are, so that the model starts out
// simple (Hvarfner et al. 2024); a size (bandit/coordinates) is taken to matter in any space, since a run's budget is one
// of time: what a step costs decides how many there are.
//
// Each source (bandit/sources), another category's results or an unverified writer's, becomes a process over its own
// ranks, whose expectation is a hint to the first (bandit/gaussian): what it says weighs as much as it foretold what ran
// here, from the first run on, and a source that has nothing to do with what runs here loses its weight within a few.
// Measured by search_bench on four tables of mixed genes, 30 repeats: 0.014 of regret after 50 runs, TPE alone 0.039.
#pragma once

#include <vector>

#include "bandit/model/gaussian_process.h"
#include "bandit/model/hint_sources.h"

namespace cultivar {

struct Ranking;

class Surrogate {
public:
    // `observations` oldest first, at least one with a figure; `in_flight` complete. `space` outlives the model.
    Surrogate(const Space& space, const std::vector<Observation>& observations,
              const std::vector<const Genes*>& in_flight, const std::vector<HintSource>& sources = {});

    // ln of the expected improvement on the best candidate so far, in ranks: the higher, the more worth a run.
    double acquisition(const Genes& genes) const;
    // The score to be expected; of a candidate that ran: what its own runs and those of its like say together.
    double expected(const Genes& genes) const;
    // Of the sources, in their order: 0 for a word that is worth nothing, 1 for one that holds to the letter.
    std::vector<double> source_weights() const { return process_.hint_weights(); }

private:
    Surrogate(const Ranking& ranking, const Space& space, const std::vector<Observation>& observations,
              std::vector<GaussianProcess> hinters);
    std::vector<double> hints_at(const Point& point) const;

    const Space& space_;
    std::vector<double> scores_;  // ascending; without what could not be judged here
    double count_ = 0;            // with it
    std::vector<GaussianProcess> hinters_;
    GaussianProcess process_;
    std::vector<Point> leading_;  // what may be the best: the best that were scored, and what is under way
    std::vector<double> bests_;   // in each future, the lowest mean of these
};

}  // namespace cultivar
