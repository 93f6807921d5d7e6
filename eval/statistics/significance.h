// Significance tests: could a difference between means be chance?
//
// All tests are one-sided for "smaller is better", since the question is always whether something improved; two_sided()
// gives the other reading. They use Student's t throughout, because the spread is estimated from the same few values.
// Errors: usage, for fewer than two values or a value that is not finite. If all spreads are zero, p is 0, 0.5 or 1.
#pragma once

#include <span>

#include "pool/util/result.h"

namespace cultivar {

struct Moments {
    int count = 0;
    double mean = 0;
    double deviation = 0;  // sample standard deviation (n - 1); 0 for fewer than two values
};
Moments moments(std::span<const double> values);

double normal_cdf(double z);
// `p` strictly between 0 and 1. Outside, the result is minus or plus infinity.
double normal_quantile(double p);

// The quantile of Student's distribution; `p` strictly between 0 and 1, `degrees_of_freedom` at least 1. Outside, the
// result is that of the normal.
double student_quantile(double p, double degrees_of_freedom);

// The same of the chi-square distribution; `degrees_of_freedom` above 0.
double chi_square_quantile(double p, double degrees_of_freedom);

struct TTest {
    double t = 0;
    double degrees_of_freedom = 0;
    double p = 0;  // probability of a t this small or smaller if nothing improved

    double two_sided() const { return 2 * (p < 0.5 ? p : 1 - p); }
};

// Tests whether the mean of `values` is below `reference`.
Result<TTest> t_test(std::span<const double> values, double reference);

// Tests whether the mean of `a` is below the mean of `b`, with unequal variances (Welch 1947, Satterthwaite's degrees
// of freedom).
Result<TTest> welch_test(std::span<const double> a, std::span<const double> b);

// The conditions for a record: [record] of a pool's task (pool/types/task.h).
struct RecordRule {
    double min_gain = 0;  // in the unit of the values, e.g. nats per token
    double p_value = 0;
    int min_seeds = 2;
};

struct RecordTest {
    bool record = false;
    double gain = 0;  // mean of the standing record - mean of the challenger
    double p = 1;     // probability of a gain this large if the true one were just below min_gain
};

// Tests whether the challenger's values beat the standing record's by at least the rule's gain, beyond chance: Welch's
// test of the challenger against the record minus min_gain. With too few seeds the challenger is never a record. Means
// count, never the best of several seeds. Errors: those of welch_test.
Result<RecordTest> test_record(std::span<const double> challenger, std::span<const double> standing,
                               const RecordRule& rule);

struct Interval {
    double low = 0, high = 0;
};
inline constexpr double kConfidence = 0.95;  // of the intervals in verdicts

// Two-sided confidence interval of the mean of `b` minus that of `a` (Welch); `confidence` strictly between 0 and 1.
Result<Interval> difference_interval(std::span<const double> a, std::span<const double> b, double confidence);

// Two-sided confidence interval of the mean; `confidence` strictly between 0 and 1.
Result<Interval> mean_interval(std::span<const double> values, double confidence);

}  // namespace cultivar
