// A Gaussian process over points: what a score is expected to be where nobody has looked, and how sure that is.
//
// Kernel: Matern 5/2 with a length for each gene. Two values of an ordered gene are as far apart as their units, of an
// unordered one 1 or 0; an inactive gene is 1 from an active one and 0 from another inactive one. Values are taken to
// have mean 0 and variance 1 and noise of one variance, divided by a sample's runs. The lengths and the noise are the
// most likely ones under log-normal priors (lengths around each axis's usual one), found by resilient propagation from
// the first samples alone.
//
// Hints are what others expect of a point, one number each, on the values' scale. A value is a weighted sum of its hints
// and the process: the weights are N(0.7 / hints, 0.5^2) before the samples were seen, and what these make of them after
// (a linear kernel), so that a hint that does not bear on the values loses its say at the rate at which it is found out.
//
// Deterministic. Fitting costs O(20 * fitted^3 + n^3), an expectation O(n), a prediction O(n^2 + futures * n).
#pragma once

#include <vector>

#include "bandit/space/coordinates.h"

namespace cultivar {

struct Axis {
    bool ordered = true;
    double usual_length = 1;  // of the range (an unordered gene's change is 1), before anything was seen; > 0
};

struct Sample {
    Point point;
    double value = 0;
    double runs = 1;              // > 0; less than 1 for what is not quite trusted
    std::vector<double> hints{};  // as many in every sample
};

struct Prediction {
    double mean = 0, deviation = 1;   // of the truth, without the noise of a run
    std::vector<double> fantasies{};  // the mean in each imagined future; of none, `mean` alone
};

class GaussianProcess {
public:
    // `axes`: one a gene. Samples with the most telling ones first: the first `fitted` say how far a length reaches.
    GaussianProcess(std::vector<Axis> axes, std::vector<Sample> samples, std::size_t fitted = 64);

    Prediction at(const Point& point, const std::vector<double>& hints = {}) const;
    double mean(const Point& point, const std::vector<double>& hints = {}) const;
    // Imagines `count` futures in which these, whose runs are under way, have ended, each as likely as another: a
    // joint sample of how they may turn out, the same in every call. The mean stays what it was, the doubt goes, and the
    // futures differ in what came of it. Their values are not looked at. Once at most; costs O(count n^2).
    void fantasize(std::vector<Sample> under_way, std::size_t count);

    double noise() const { return noise_; }  // variance of one run's value
    // What each hint is worth, 0 for nothing and 1 for its word; empty without samples.
    std::vector<double> hint_weights() const;

private:
    struct Fit;
    double hint_prior(const std::vector<double>& hints) const;
    void add(Sample sample);
    std::vector<double> whitened() const;
    std::vector<double> covariances(const Point& point, const std::vector<double>& hints) const;

    std::vector<Axis> axes_;
    std::vector<Sample> samples_;
    std::vector<std::vector<double>> columns_;  // the samples' coordinates, by gene
    std::vector<double> precisions_;            // one a gene: 1 / length^2
    double noise_ = 0;
    std::vector<double> factor_;                 // of the samples' covariance: the lower triangle, row after row
    std::vector<double> weights_;                // covariance^-1 (values less the hints' prior)
    std::vector<std::vector<double>> imagined_;  // the same in each imagined future
};

}  // namespace cultivar
