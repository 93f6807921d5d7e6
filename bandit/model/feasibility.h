// The probability that a run of a candidate ends with a score, learnt from the own runs that failed and those that did
// not.
//
// Failures come by chance or because of the genes, and one failure does not say which. Several explanations compete:
// chance alone (one rate for all), each gene alone (a learning rate too high, a model too wide), and all genes
// together. Each predicts every run from the other ones: the rate of failures among the runs near it, by a Gaussian
// kernel over its genes. Their weights are their likelihoods (Bayesian model averaging of leave-one-out predictions,
// Geisser and Eddy 1979). Crashes by chance thus change nothing, and a region where all runs fail is left after a few.
#pragma once

#include <vector>

#include "bandit/history/candidate_stats.h"
#include "bandit/space/coordinates.h"

namespace cultivar {

class Feasibility {
public:
    // `space` must outlive it. O(genes * places^2); of many candidates it uses the newest 128.
    Feasibility(const Space& space, const CandidateTable& candidates);

    // The probability that a run of this complete assignment fails; 0 if no own run ever failed.
    double failure(const Genes& genes) const;

private:
    struct Place {
        Point point;
        double failed = 0, ended = 0;  // runs
    };
    struct Explanation {
        std::vector<std::size_t> genes;  // none: chance alone
        double weight = 0;
    };
    void weigh_explanations();
    double nearness(const Explanation& by, const Point& a, const Point& b) const;
    double rate_near(const Explanation& by, const Point& point, const Place* without) const;
    double log_likelihood(const Explanation& by) const;

    const Space& space_;
    std::vector<Place> places_;  // empty if nothing failed
    double rate_ = 0;            // of failures over all runs
    std::vector<Explanation> explanations_;
};

}  // namespace cultivar
