#include "bandit/gaussian.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace cultivar {
namespace {

constexpr std::size_t kFitted = 64;  // samples that the lengths and the noise are fitted to
constexpr int kRounds = 20;
constexpr double kLengthSpread = 1;
constexpr double kNoise = 0.02, kNoiseSpread = 1.5, kFirstNoise = 0.05;
constexpr double kJitter = 1e-6;
constexpr double kLowest = -6, kHighest = 5;  // of a logarithm

double dot(const double* a, const double* b, std::size_t count) {
    double sums[4] = {0, 0, 0, 0};
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += a[i + lane] * b[i + lane];
    }
    for (; i < count; ++i) sums[0] += a[i] * b[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

double gap(bool is_ordered, double a, double b) {
    if (a == b) return 0;
    return is_ordered && a != kAbsent && b != kAbsent ? a - b : 1;
}

double squared_distance(const std::vector<bool>& is_ordered, const std::vector<double>& precisions, const Point& a,
                        const Point& b) {
    double sum = 0;
    for (std::size_t gene = 0; gene < a.size(); ++gene) {
        double apart = gap(is_ordered[gene], a[gene], b[gene]);
        sum += apart * apart * precisions[gene];
    }
    return sum;
}

double matern(double squared) {
    double scaled = std::sqrt(5 * squared);
    return (1 + scaled + scaled * scaled / 3) * std::exp(-scaled);
}

// In place, by rows; false where the matrix is not positive definite.
bool cholesky(std::vector<double>& matrix, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        double* row = &matrix[i * count];
        for (std::size_t j = 0; j < i; ++j) {
            const double* above = &matrix[j * count];
            row[j] = (row[j] - dot(row, above, j)) / above[j];
        }
        double left = row[i] - dot(row, row, i);
        if (!(left > 0)) return false;
        row[i] = std::sqrt(left);
    }
    return true;
}

// L x = b, in place.
void forward(const std::vector<double>& factor, std::size_t count, std::vector<double>& b) {
    for (std::size_t i = 0; i < count; ++i) {
        const double* row = &factor[i * count];
        b[i] = (b[i] - dot(row, b.data(), i)) / row[i];
    }
}

// L^T x = b, in place.
void backward(const std::vector<double>& factor, std::size_t count, std::vector<double>& b) {
    for (std::size_t i = count; i-- > 0;) {
        const double* row = &factor[i * count];
        b[i] /= row[i];
        for (std::size_t j = 0; j < i; ++j) b[j] -= row[j] * b[i];
    }
}

}  // namespace

// The search for the lengths and the noise. Its parameters are logarithms: a length for each gene, then the noise.
struct GaussianProcess::Fit {
    const GaussianProcess& process;
    std::size_t count, genes;
    std::vector<double> squares;  // [pair][gene] squared gaps, pairs (i, j) with j < i
    std::vector<double> values;
    std::vector<double> at, best;
    double highest = -std::numeric_limits<double>::infinity();

    explicit Fit(const GaussianProcess& of)
        : process(of), count(std::min(kFitted, of.samples_.size())), genes(of.is_ordered_.size()) {
        for (std::size_t i = 0; i < count; ++i) {
            values.push_back(process.samples_[i].value);
            for (std::size_t j = 0; j < i; ++j) {
                const Point &a = process.samples_[i].point, &b = process.samples_[j].point;
                for (std::size_t gene = 0; gene < genes; ++gene) {
                    double apart = gap(process.is_ordered_[gene], a[gene], b[gene]);
                    squares.push_back(apart * apart);
                }
            }
        }
        at.assign(genes, usual_length());
        at.push_back(std::log(kFirstNoise));
        best = at;
    }

    double usual_length() const { return std::log(0.5 * std::sqrt(static_cast<double>(genes))); }
    const double* squares_of(std::size_t i, std::size_t j) const { return &squares[(i * (i - 1) / 2 + j) * genes]; }

    void search() {
        std::vector<double> step(at.size(), 0.3), before(at.size(), 0);
        for (int round = 0; round < kRounds; ++round) {
            std::vector<double> slope = slopes();
            for (std::size_t i = 0; i < at.size(); ++i) {
                double turned = slope[i] * before[i];
                if (turned > 0) step[i] = std::min(step[i] * 1.3, 1.0);
                if (turned < 0) step[i] *= 0.5;
                before[i] = slope[i];
                at[i] = std::clamp(at[i] + step[i] * ((slope[i] > 0) - (slope[i] < 0)), kLowest, kHighest);
            }
        }
    }

    // The log-likelihood's slope at `at`, which becomes `best` if nothing was likelier.
    std::vector<double> slopes() {
        std::vector<double> precisions;
        for (std::size_t gene = 0; gene < genes; ++gene) precisions.push_back(std::exp(-2 * at[gene]));
        double noise = std::exp(at[genes]);
        std::vector<double> covariance(count * count, 0), distances(count * count, 0);
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                double squared = dot(squares_of(i, j), precisions.data(), genes);
                distances[i * count + j] = std::sqrt(5 * squared);
                covariance[i * count + j] = matern(squared);
            }
            covariance[i * count + i] = 1 + noise / process.samples_[i].runs + kJitter;
        }
        std::vector<double> slope(at.size(), 0);
        if (!cholesky(covariance, count)) {
            slope[genes] = 1;  // more noise
            return slope;
        }
        std::vector<double> weights = values;
        forward(covariance, count, weights);
        double likelihood = -0.5 * dot(weights.data(), weights.data(), count);
        for (std::size_t i = 0; i < count; ++i) likelihood -= std::log(covariance[i * count + i]);
        backward(covariance, count, weights);
        std::vector<double> inverse = inverted(covariance);
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                double distance = distances[i * count + j];
                double pull = (weights[i] * weights[j] - inverse[i * count + j]) * (5.0 / 3) * (1 + distance) *
                              std::exp(-distance);
                const double* apart = squares_of(i, j);
                for (std::size_t gene = 0; gene < genes; ++gene) slope[gene] += pull * apart[gene] * precisions[gene];
            }
            slope[genes] += 0.5 * (weights[i] * weights[i] - inverse[i * count + i]) * noise / process.samples_[i].runs;
        }
        for (std::size_t i = 0; i < at.size(); ++i) {
            double spread = i < genes ? kLengthSpread : kNoiseSpread;
            double away = (at[i] - (i < genes ? usual_length() : std::log(kNoise))) / spread;
            likelihood -= 0.5 * away * away;
            slope[i] -= away / spread;
        }
        if (likelihood > highest) highest = likelihood, best = at;
        return slope;
    }

    // The lower triangle of (L L^T)^-1.
    std::vector<double> inverted(const std::vector<double>& factor) const {
        // By columns, so that both loops run along memory: of_column(j)[i] = (L^-1)[i][j].
        std::vector<double> columns(count * count, 0), inverse(count * count, 0);
        for (std::size_t j = 0; j < count; ++j) {
            double* column = &columns[j * count];
            column[j] = 1 / factor[j * count + j];
            for (std::size_t i = j + 1; i < count; ++i)
                column[i] = -dot(&factor[i * count + j], column + j, i - j) / factor[i * count + i];
        }
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j <= i; ++j)
                inverse[i * count + j] = dot(&columns[i * count + i], &columns[j * count + i], count - i);
        }
        return inverse;
    }
};

GaussianProcess::GaussianProcess(std::vector<bool> is_ordered, std::vector<Sample> samples)
    : is_ordered_(std::move(is_ordered)), samples_(std::move(samples)) {
    Fit fit(*this);
    fit.search();
    for (std::size_t gene = 0; gene < is_ordered_.size(); ++gene) precisions_.push_back(std::exp(-2 * fit.best[gene]));
    noise_ = std::exp(fit.best.back());
    factorise();
}

void GaussianProcess::factorise() {
    const std::size_t count = samples_.size();
    double jitter = kJitter;
    do {
        factor_.assign(count * count, 0);
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j < i; ++j)
                factor_[i * count + j] =
                    matern(squared_distance(is_ordered_, precisions_, samples_[i].point, samples_[j].point));
            factor_[i * count + i] = 1 + noise_ / samples_[i].runs + jitter;
        }
        jitter *= 100;
    } while (!cholesky(factor_, count));
    weights_.clear();
    for (const Sample& sample : samples_) weights_.push_back(sample.value);
    forward(factor_, count, weights_);
    backward(factor_, count, weights_);
}

Prediction GaussianProcess::at(const Point& point) const {
    std::vector<double> covariances;
    covariances.reserve(samples_.size());
    for (const Sample& sample : samples_)
        covariances.push_back(matern(squared_distance(is_ordered_, precisions_, point, sample.point)));
    double mean = dot(covariances.data(), weights_.data(), covariances.size());
    forward(factor_, samples_.size(), covariances);
    double left = 1 - dot(covariances.data(), covariances.data(), covariances.size());
    return {mean, std::sqrt(std::max(left, 1e-10))};
}

void GaussianProcess::believe(const std::vector<Point>& points) {
    if (points.empty()) return;
    std::vector<Sample> believed;
    for (const Point& point : points) believed.push_back({point, at(point).mean, 1});
    samples_.insert(samples_.end(), believed.begin(), believed.end());
    factorise();
}

}  // namespace cultivar
