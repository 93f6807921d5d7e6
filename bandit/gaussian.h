// A Gaussian process over points: what a score is expected to be where nobody has looked, and how sure that is.
//
// Kernel: Matern 5/2 with a length for each gene. Two values of an ordered gene are as far apart as their units, of an
// unordered one 1 or 0; an inactive gene is 1 from an active one and 0 from another inactive one. Values are taken to
// have mean 0 and variance 1 and noise of one variance, divided by a sample's runs. The lengths and the noise are the
// most likely ones under log-normal priors (lengths around sqrt(d) / 2, as in Hvarfner et al. 2024, so that the model
// starts out simple where there are many genes), found by resilient propagation from the first samples alone.
// Deterministic. Fitting costs O(20 * 64^3 + n^3), a prediction O(n^2).
#pragma once

#include <vector>

#include "bandit/coordinates.h"

namespace cultivar {

struct Sample {
    Point point;
    double value = 0;
    double runs = 1;  // > 0; less than 1 for what is not quite trusted
};

struct Prediction {
    double mean = 0, deviation = 1;  // of the truth, without the noise of a run
};

class GaussianProcess {
public:
    // `is_ordered`: one a gene. Samples with the most telling ones first: the first 64 say how far a length reaches.
    GaussianProcess(std::vector<bool> is_ordered, std::vector<Sample> samples);

    Prediction at(const Point& point) const;
    // Takes it that these points, whose runs are under way, turn out as expected: the mean stays, the doubt goes.
    void believe(const std::vector<Point>& points);

    double noise() const { return noise_; }  // variance of one run's value

private:
    struct Fit;
    void factorise();

    std::vector<bool> is_ordered_;
    std::vector<Sample> samples_;
    std::vector<double> precisions_;  // one a gene: 1 / length^2
    double noise_ = 0;
    std::vector<double> factor_;   // of the samples' covariance, lower triangle by rows
    std::vector<double> weights_;  // covariance^-1 values
};

}  // namespace cultivar
