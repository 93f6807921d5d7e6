#include "eval/statistics/significance.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace cultivar {
namespace {

namespace math = boost::math;
// Boost must not throw across a folder: bad arguments give NaN, overflow gives infinity.
using Quiet = math::policies::policy<math::policies::domain_error<math::policies::ignore_error>,
                                     math::policies::pole_error<math::policies::ignore_error>,
                                     math::policies::overflow_error<math::policies::ignore_error>,
                                     math::policies::evaluation_error<math::policies::ignore_error>>;
using Normal = math::normal_distribution<double, Quiet>;
using ChiSquare = math::chi_squared_distribution<double, Quiet>;
using StudentT = math::students_t_distribution<double, Quiet>;

Result<Moments> checked_moments(std::span<const double> values) {
    if (values.size() < 2) return fail(Code::usage, "a test needs at least two values");
    if (!std::ranges::all_of(values, [](double value) { return std::isfinite(value); }))
        return fail(Code::usage, "a test needs finite values");
    return moments(values);
}

// The test of a difference, given its standard error.
TTest from_difference(double difference, double error, double degrees_of_freedom) {
    TTest test{.t = 0, .degrees_of_freedom = degrees_of_freedom, .p = 0.5};
    if (error > 0) {
        test.t = difference / error;
        test.p = math::cdf(StudentT(degrees_of_freedom), test.t);
    } else if (difference != 0) {
        test.t = std::copysign(std::numeric_limits<double>::infinity(), difference);
        test.p = difference < 0 ? 0 : 1;
    }
    return test;
}

}  // namespace

Moments moments(std::span<const double> values) {
    Moments result;
    double squares = 0;  // Welford's sum of squared deviations
    for (double value : values) {
        double delta = value - result.mean;
        result.mean += delta / ++result.count;
        squares += delta * (value - result.mean);
    }
    if (result.count > 1) result.deviation = std::sqrt(squares / (result.count - 1));
    return result;
}

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

double normal_quantile(double p) {
    if (p <= 0) return -std::numeric_limits<double>::infinity();
    if (p >= 1) return std::numeric_limits<double>::infinity();
    return math::quantile(Normal(), p);
}

double student_quantile(double p, double degrees_of_freedom) {
    if (p <= 0 || p >= 1) return normal_quantile(p);
    return math::quantile(StudentT(std::max(1.0, degrees_of_freedom)), p);
}

double chi_square_quantile(double p, double degrees_of_freedom) {
    if (p <= 0) return 0;
    if (p >= 1) return std::numeric_limits<double>::infinity();
    return math::quantile(ChiSquare(degrees_of_freedom), p);
}

Result<TTest> t_test(std::span<const double> values, double reference) {
    TRY_ASSIGN(Moments sample, checked_moments(values));
    if (!std::isfinite(reference)) return fail(Code::usage, "a test needs a finite reference");
    return from_difference(sample.mean - reference, sample.deviation / std::sqrt(sample.count), sample.count - 1);
}

Result<TTest> welch_test(std::span<const double> a, std::span<const double> b) {
    TRY_ASSIGN(Moments first, checked_moments(a));
    TRY_ASSIGN(Moments second, checked_moments(b));
    double variance_a = first.deviation * first.deviation / first.count;
    double variance_b = second.deviation * second.deviation / second.count;
    double variance = variance_a + variance_b;
    double degrees_of_freedom = first.count + second.count - 2;
    if (variance > 0) {
        degrees_of_freedom =
            variance * variance /
            (variance_a * variance_a / (first.count - 1) + variance_b * variance_b / (second.count - 1));
    }
    return from_difference(first.mean - second.mean, std::sqrt(variance), degrees_of_freedom);
}

Result<RecordTest> test_record(std::span<const double> challenger, std::span<const double> standing,
                               const RecordRule& rule) {
    std::vector<double> to_beat(standing.begin(), standing.end());
    for (double& value : to_beat) value -= rule.min_gain;
    TRY_ASSIGN(const TTest test, welch_test(challenger, to_beat));
    const double gain = moments(standing).mean - moments(challenger).mean;
    const bool enough = challenger.size() >= static_cast<std::size_t>(std::max(rule.min_seeds, 2));
    return RecordTest{enough && gain >= rule.min_gain && test.p < rule.p_value, gain, test.p};
}

Result<Interval> difference_interval(std::span<const double> a, std::span<const double> b, double confidence) {
    TRY_ASSIGN(const TTest test, welch_test(a, b));
    if (!(confidence > 0 && confidence < 1)) return fail(Code::usage, "a confidence lies between 0 and 1");
    const Moments first = moments(a), second = moments(b);
    const double error =
        std::sqrt(first.deviation * first.deviation / first.count + second.deviation * second.deviation / second.count);
    const double half = math::quantile(StudentT(test.degrees_of_freedom), 0.5 + confidence / 2) * error;
    const double difference = second.mean - first.mean;
    return Interval{difference - half, difference + half};
}

Result<Interval> mean_interval(std::span<const double> values, double confidence) {
    TRY_ASSIGN(Moments sample, checked_moments(values));
    if (!(confidence > 0 && confidence < 1)) return fail(Code::usage, "a confidence lies between 0 and 1");
    double t = math::quantile(StudentT(sample.count - 1), 0.5 + confidence / 2);
    double half = t * sample.deviation / std::sqrt(sample.count);
    return Interval{sample.mean - half, sample.mean + half};
}

}  // namespace cultivar
