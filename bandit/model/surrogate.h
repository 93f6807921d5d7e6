// The surrogate model: the expected score of a candidate that nobody has tried, from a Gaussian process over the scores
// here.
//
// The model sees ranks, not scores: the n scores become the n normal quantiles, so that neither a metric's scale nor an
// outlier distorts it. Candidates that could not be judged here rank last. Of a large history it uses 160 candidates:
// the best and the newest in turn. It imagines sixteen outcomes of the runs in flight. The expected improvement is the
// mean over these futures, each of which includes those runs, so that independent workers spread out (Snoek, Larochelle
// and Adams 2012).
//
// The prior length of a gene grows with the number of genes, so that the model starts out simple (Hvarfner et al.
// 2024). A size (bandit/space/coordinates.h) is assumed to matter in any space, because a run's budget is a time: the
// cost of a step decides the number of steps.
//
// Each hint source (bandit/model/hint_sources.h), another category's results or an unverified writer's, becomes a
// process over its own ranks. Its expectation is a hint to the main process (bandit/model/gaussian_process.h): it
// weighs as much as it predicted the results here, from the first run on, and an unrelated source loses its weight
// within a few runs. Measured by search_bench on four tables of mixed genes, 30 repeats: 0.014 of regret after 50 runs;
// TPE alone 0.039.
#pragma once

#include <vector>

#include "bandit/model/gaussian_process.h"
#include "bandit/model/hint_sources.h"

namespace cultivar {

struct Ranking;

class Surrogate {
public:
    // `observations`: oldest first, at least one with a score. `in_flight`: complete assignments. `space` must outlive
    // the model.
    Surrogate(const Space& space, const std::vector<Observation>& observations,
              const std::vector<const Genes*>& in_flight, const std::vector<HintSource>& sources = {});

    // ln of the expected improvement on the best candidate so far, in ranks. Higher is better.
    double acquisition(const Genes& genes) const;
    // The expected score. For a candidate that ran, it combines its own runs with those of similar candidates.
    double expected(const Genes& genes) const;
    // The weight of each source, in their order: 0 is worthless, 1 means that its ranks hold exactly.
    std::vector<double> source_weights() const { return process_.hint_weights(); }

private:
    Surrogate(const Ranking& ranking, const Space& space, const std::vector<Observation>& observations,
              std::vector<GaussianProcess> hinters);
    std::vector<double> hints_at(const Point& point) const;

    const Space& space_;
    std::vector<double> scores_;  // ascending; without candidates that could not be judged here
    double count_ = 0;            // number of candidates, those included
    std::vector<GaussianProcess> hinters_;
    GaussianProcess process_;
    std::vector<Point> leading_;  // candidates for the best: the best scored ones and those under way
    std::vector<double> bests_;   // the lowest mean of these in each future
};

}  // namespace cultivar
