// A Gaussian process over points: the expected score of a point that nobody has tried, and its uncertainty.
//
// The kernel is Matern 5/2 with one length per gene. Two values of an ordered gene are as far apart as their units;
// those of an unordered gene are 1 or 0 apart. An inactive gene is 1 from an active one and 0 from another inactive
// one. Values are assumed to have mean 0 and variance 1. The noise has one variance for all, divided by a sample's
// runs. Lengths and noise are the most likely ones under log-normal priors (lengths around each axis's usual length),
// found by resilient propagation on the first samples alone.
//
// Hints are other people's expectations of a point, one number each, on the scale of the values. A value is a weighted
// sum of its hints plus the process. The weights' prior is N(0.7 / hints, 0.5^2); the samples turn it into the
// posterior (a linear kernel). A hint that says nothing about the values thus loses its weight as fast as the samples
// show it.
//
// Deterministic. Fitting costs O(20 * fitted^3 + n^3), mean() O(n), at() O(n^2 + futures * n).
#pragma once

#include <vector>

#include "bandit/space/coordinates.h"

namespace cultivar {

struct Axis {
    bool ordered = true;
    double usual_length = 1;  // prior length in units of the range (a change of an unordered gene is 1); > 0
};

struct Sample {
    Point point;
    double value = 0;
    double runs = 1;              // > 0; less than 1 if the value is not fully trusted
    std::vector<double> hints{};  // every sample has the same number of hints
};

struct Prediction {
    double mean = 0, deviation = 1;   // of the true value, without the noise of a run
    std::vector<double> fantasies{};  // the mean in each imagined future; `mean` alone if there are none
};

class GaussianProcess {
public:
    // `axes`: one per gene. The most informative samples come first: lengths and noise are fitted to the first
    // `fitted`.
    GaussianProcess(std::vector<Axis> axes, std::vector<Sample> samples, std::size_t fitted = 64);

    Prediction at(const Point& point, const std::vector<double>& hints = {}) const;
    double mean(const Point& point, const std::vector<double>& hints = {}) const;
    // Imagines `count` equally likely outcomes (futures) of the samples under way: a joint sample of their values, the
    // same in every call. The mean does not change; the uncertainty at these points moves into the differences between
    // the futures. The values of `under_way` are ignored. May be called once; costs O(count n^2).
    void fantasize(std::vector<Sample> under_way, std::size_t count);

    double noise() const { return noise_; }  // variance of one run's value
    // The weight of each hint: 0 is worthless, 1 means the values equal the hint. Empty without samples.
    std::vector<double> hint_weights() const;

private:
    struct Fit;
    double hint_prior(const std::vector<double>& hints) const;
    void add(Sample sample);
    std::vector<double> whitened() const;
    std::vector<double> covariances(const Point& point, const std::vector<double>& hints) const;

    std::vector<Axis> axes_;
    std::vector<Sample> samples_;
    std::vector<std::vector<double>> columns_;  // the samples' coordinates, one column per gene
    std::vector<double> precisions_;            // 1 / length^2 of each gene
    double noise_ = 0;
    std::vector<double> factor_;   // Cholesky factor of the samples' covariance: lower triangle, row by row
    std::vector<double> weights_;  // covariance^-1 (values - the hints' prior)
    std::vector<std::vector<double>> imagined_;  // weights_ in each imagined future
};

}  // namespace cultivar
