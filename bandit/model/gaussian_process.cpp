#include "bandit/model/gaussian_process.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "bandit/space/random.h"
#include "eval/statistics/significance.h"

namespace cultivar {
namespace {

constexpr int kRounds = 20;
constexpr double kLengthSpread = 1;
constexpr double kNoise = 0.02, kNoiseSpread = 1.5, kFirstNoise = 0.05;
constexpr double kJitter = 1e-6;
constexpr double kLowest = -6, kHighest = 5;  // bounds of each logarithmic parameter
constexpr std::uint64_t kFutureSeed = 1;
constexpr double kHintPrior = 0.7, kHintVariance = 0.25;

double dot(const double* a, const double* b, std::size_t count) {
    double sums[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += a[i + lane] * b[i + lane];
    }
    for (; i < count; ++i) sums[0] += a[i] * b[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

double dot(const std::vector<double>& a, const std::vector<double>& b) { return dot(a.data(), b.data(), a.size()); }

// exp(-x) for x >= 0 with a relative error of 1e-11. The compiler vectorises it, and it does not depend on the C
// library.
double decayed(double x) {
    constexpr double kLog2e = 1.4426950408889634, kLn2 = 0.6931471805599453;
    constexpr double kWhole = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to a whole number
    constexpr std::uint64_t kWholeBits = 0x4338000000000000, kBias = 1023, kMantissa = 52;
    x = x < 700 ? x : 700;
    const double shifted = x * kLog2e + kWhole;
    const double r = (shifted - kWhole) * kLn2 - x;  // within +-0.35
    const double power =
        std::bit_cast<double>((kBias - (std::bit_cast<std::uint64_t>(shifted) - kWholeBits)) << kMantissa);
    double sum = 1 + r / 10;
    for (int i = 9; i > 0; --i) sum = 1 + sum * r * (1.0 / i);
    return power * sum;
}

// Adds to each sum `precision` times the squared gap between `a` and that sample's coordinate.
void add_gaps(bool is_ordered, double precision, double a, const double* column, std::size_t count, double* sums) {
    if (is_ordered && a != kAbsent) {
        for (std::size_t i = 0; i < count; ++i) {
            const double gap = column[i] - a, square = gap * gap;
            sums[i] += precision * (column[i] == kAbsent ? 1.0 : square);
        }
    } else {
        for (std::size_t i = 0; i < count; ++i) sums[i] += column[i] == a ? 0.0 : precision;
    }
}

// Replaces squared distances by their Matern 5/2 covariance.
void matern(double* squares, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const double scaled = std::sqrt(5 * squares[i]);
        squares[i] = (1 + scaled + scaled * scaled * (1.0 / 3)) * decayed(scaled);
    }
}

constexpr std::size_t row_start(std::size_t row) { return row * (row + 1) / 2; }

// Factorises row `i` of a packed lower triangle (Cholesky). The rows before it must be factorised already.
void factorise_row(std::vector<double>& triangle, std::size_t i) {
    double* row = &triangle[row_start(i)];
    for (std::size_t j = 0; j < i; ++j) {
        const double* above = &triangle[row_start(j)];
        row[j] = (row[j] - dot(row, above, j)) / above[j];
    }
    row[i] = std::sqrt(std::max(row[i] - dot(row, row, i), kJitter));
}

// Solves L x = b in place.
void forward(const std::vector<double>& factor, std::vector<double>& b) {
    for (std::size_t i = 0; i < b.size(); ++i) {
        const double* row = &factor[row_start(i)];
        b[i] = (b[i] - dot(row, b.data(), i)) / row[i];
    }
}

// Solves L^T x = b in place.
void backward(const std::vector<double>& factor, std::vector<double>& b) {
    for (std::size_t i = b.size(); i-- > 0;) {
        const double* row = &factor[row_start(i)];
        b[i] /= row[i];
        for (std::size_t j = 0; j < i; ++j) b[j] -= row[j] * b[i];
    }
}

// Returns the lower triangle of (L L^T)^-1.
std::vector<double> inverted(const std::vector<double>& factor, std::size_t count) {
    // Stored by columns so that both loops read consecutive memory: columns[j * count + i] = (L^-1)[i][j].
    std::vector<double> columns(count * count, 0), inverse(row_start(count));
    for (std::size_t j = 0; j < count; ++j) {
        double* column = &columns[j * count];
        column[j] = 1 / factor[row_start(j) + j];
        for (std::size_t i = j + 1; i < count; ++i)
            column[i] = -dot(&factor[row_start(i) + j], column + j, i - j) / factor[row_start(i) + i];
    }
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j <= i; ++j)
            inverse[row_start(i) + j] = dot(&columns[i * count + i], &columns[j * count + i], count - i);
    }
    return inverse;
}

}  // namespace

// Searches the most likely lengths and noise. The parameters are logarithms: one length per gene, then the noise.
// Triangles are packed; a sample's cell with itself is the last of its row and is not a pair.
struct GaussianProcess::Fit {
    std::size_t count, genes, cells;
    std::vector<std::vector<double>> squares;  // squared gaps by gene, then by cell
    std::vector<double> hints;                 // covariance of the hints by cell
    std::vector<double> values, runs;
    std::vector<double> usual, at, best;
    double highest = -std::numeric_limits<double>::infinity();

    Fit(const GaussianProcess& of, const std::vector<Sample>& samples, std::size_t most)
        : count(std::min(most, samples.size())), genes(of.axes_.size()), cells(row_start(count)) {
        squares.assign(genes, std::vector<double>(cells, 0));
        hints.assign(cells, 0);
        std::vector<double> column(count);
        for (std::size_t gene = 0; gene < genes; ++gene) {
            for (std::size_t i = 0; i < count; ++i) column[i] = samples[i].point[gene];
            for (std::size_t i = 0; i < count; ++i)
                add_gaps(of.axes_[gene].ordered, 1, column[i], column.data(), i, &squares[gene][row_start(i)]);
        }
        for (std::size_t i = 0; i < count; ++i) {
            values.push_back(samples[i].value - of.hint_prior(samples[i].hints));
            runs.push_back(samples[i].runs);
            for (std::size_t j = 0; j <= i; ++j)
                hints[row_start(i) + j] = kHintVariance * dot(samples[i].hints, samples[j].hints);
        }
        for (const Axis& axis : of.axes_) usual.push_back(std::log(axis.usual_length));
        at = usual;
        at.push_back(std::log(kFirstNoise));
        best = at;
        usual.push_back(std::log(kNoise));
    }

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

    // Returns the gradient of the log-likelihood at `at`. Copies `at` to `best` if it is the likeliest so far.
    std::vector<double> slopes() {
        const double noise = std::exp(at[genes]);
        std::vector<double> covariance(cells, 0), pull(cells);
        for (std::size_t gene = 0; gene < genes; ++gene) {
            const double precision = std::exp(-2 * at[gene]);
            for (std::size_t cell = 0; cell < cells; ++cell) covariance[cell] += precision * squares[gene][cell];
        }
        for (std::size_t cell = 0; cell < cells; ++cell) {
            const double scaled = std::sqrt(5 * covariance[cell]), decay = decayed(scaled);
            covariance[cell] = (1 + scaled + scaled * scaled * (1.0 / 3)) * decay + hints[cell];
            pull[cell] = (5.0 / 3) * (1 + scaled) * decay;
        }
        for (std::size_t i = 0; i < count; ++i) {
            covariance[row_start(i) + i] += noise / runs[i] + kJitter;
            factorise_row(covariance, i);
        }
        std::vector<double> weights = values;
        forward(covariance, weights);
        double likelihood = -0.5 * dot(weights, weights);
        for (std::size_t i = 0; i < count; ++i) likelihood -= std::log(covariance[row_start(i) + i]);
        backward(covariance, weights);
        std::vector<double> inverse = inverted(covariance, count), slope(at.size(), 0);
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j < i; ++j)
                pull[row_start(i) + j] *= weights[i] * weights[j] - inverse[row_start(i) + j];
            slope[genes] += 0.5 * (weights[i] * weights[i] - inverse[row_start(i) + i]) * noise / runs[i];
        }
        for (std::size_t gene = 0; gene < genes; ++gene)
            slope[gene] = std::exp(-2 * at[gene]) * dot(pull, squares[gene]);  // a sample's gap to itself is 0
        for (std::size_t i = 0; i < at.size(); ++i) {
            double spread = i < genes ? kLengthSpread : kNoiseSpread;
            double away = (at[i] - usual[i]) / spread;
            likelihood -= 0.5 * away * away;
            slope[i] -= away / spread;
        }
        if (likelihood > highest) highest = likelihood, best = at;
        return slope;
    }
};

GaussianProcess::GaussianProcess(std::vector<Axis> axes, std::vector<Sample> samples, std::size_t fitted)
    : axes_(std::move(axes)), columns_(axes_.size()) {
    Fit fit(*this, samples, fitted);
    if (!samples.empty()) fit.search();
    for (std::size_t gene = 0; gene < fit.genes; ++gene) precisions_.push_back(std::exp(-2 * fit.best[gene]));
    noise_ = std::exp(fit.best[fit.genes]);
    factor_.reserve(row_start(samples.size()));
    for (Sample& sample : samples) add(std::move(sample));
    weights_ = whitened();
    backward(factor_, weights_);
}

double GaussianProcess::hint_prior(const std::vector<double>& hints) const {
    double sum = 0;
    for (double hint : hints) sum += hint;
    return hints.empty() ? 0 : kHintPrior * sum / static_cast<double>(hints.size());
}

void GaussianProcess::add(Sample sample) {
    std::vector<double> row = covariances(sample.point, sample.hints);
    row.push_back(1 + kHintVariance * dot(sample.hints, sample.hints) + noise_ / sample.runs + kJitter);
    factor_.insert(factor_.end(), row.begin(), row.end());
    factorise_row(factor_, samples_.size());
    for (std::size_t gene = 0; gene < columns_.size(); ++gene) columns_[gene].push_back(sample.point[gene]);
    samples_.push_back(std::move(sample));
}

// The part of each sample's value that the samples before it do not predict, in standard deviations: independent
// numbers of variance 1.
std::vector<double> GaussianProcess::whitened() const {
    std::vector<double> values;
    for (const Sample& sample : samples_) values.push_back(sample.value - hint_prior(sample.hints));
    forward(factor_, values);
    return values;
}

std::vector<double> GaussianProcess::covariances(const Point& point, const std::vector<double>& hints) const {
    std::vector<double> result(samples_.size(), 0);
    for (std::size_t gene = 0; gene < columns_.size(); ++gene)
        add_gaps(axes_[gene].ordered, precisions_[gene], point[gene], columns_[gene].data(), result.size(),
                 result.data());
    matern(result.data(), result.size());
    for (std::size_t i = 0; i < result.size() && !hints.empty(); ++i)
        result[i] += kHintVariance * dot(hints, samples_[i].hints);
    return result;
}

double GaussianProcess::mean(const Point& point, const std::vector<double>& hints) const {
    return hint_prior(hints) + dot(covariances(point, hints), weights_);
}

Prediction GaussianProcess::at(const Point& point, const std::vector<double>& hints) const {
    std::vector<double> shared = covariances(point, hints);
    const double prior = hint_prior(hints);
    Prediction result{.mean = prior + dot(shared, weights_)};
    for (const std::vector<double>& weights : imagined_) result.fantasies.push_back(prior + dot(shared, weights));
    if (imagined_.empty()) result.fantasies.push_back(result.mean);
    forward(factor_, shared);
    const double left = 1 + kHintVariance * dot(hints, hints) - dot(shared, shared);
    result.deviation = std::sqrt(std::max(left, 1e-10));
    return result;
}

// The outcome of each run under way is one more independent number of variance 1. It is 0 in the mean. Over the futures
// it takes the normal quantiles, so that their mean is the expectation, in a different order for each run.
void GaussianProcess::fantasize(std::vector<Sample> under_way, std::size_t count) {
    if (under_way.empty()) return;
    std::vector<double> expected = whitened();
    const std::size_t known = expected.size();
    for (Sample& sample : under_way) add(std::move(sample));
    expected.resize(samples_.size(), 0);
    std::vector<double> quantiles;
    for (std::size_t future = 0; future < count; ++future)
        quantiles.push_back(normal_quantile((static_cast<double>(future) + 0.5) / static_cast<double>(count)));
    imagined_.assign(count, expected);
    Random random(kFutureSeed);
    for (std::size_t i = known; i < samples_.size(); ++i) {
        for (std::size_t last = count; last > 1; --last) std::swap(quantiles[last - 1], quantiles[random.below(last)]);
        for (std::size_t future = 0; future < count; ++future) imagined_[future][i] = quantiles[future];
    }
    for (std::vector<double>& future : imagined_) backward(factor_, future);
    backward(factor_, expected);
    weights_ = std::move(expected);
}

std::vector<double> GaussianProcess::hint_weights() const {
    if (samples_.empty()) return {};
    std::vector<double> result(samples_.front().hints.size(), 0);
    for (std::size_t hint = 0; hint < result.size(); ++hint) {
        for (std::size_t i = 0; i < samples_.size(); ++i) result[hint] += weights_[i] * samples_[i].hints[hint];
        result[hint] = kHintPrior / static_cast<double>(result.size()) + kHintVariance * result[hint];
    }
    return result;
}

}  // namespace cultivar
