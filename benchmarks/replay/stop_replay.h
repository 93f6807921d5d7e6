// Early stopping on real curves: streams of configurations that others trained to the end, replayed run by run with a
// rule that may stop them.
#pragma once

#include <string>
#include <vector>

#include "bandit/history/history.h"
#include "bandit/space/random.h"
#include "pool/util/result.h"

namespace cultivar {

// A curve file: the header names fractions of the budget ("t0.05,t0.1,...,t1"), a row is one run's validation loss at
// each; an empty field is a loss that is missing.
struct CurveSet {
    std::string name;
    std::vector<std::vector<CurvePoint>> runs;  // elapsed_s from 0 to kReplayBudget_s; what is missing is left out
};
inline constexpr double kReplayBudget_s = 1000;

// Errors: io, corrupt (a header that is no increasing fractions ending in 1, a row that is too long, fewer than 2 runs
// with a last loss).
Result<CurveSet> read_curves(const std::string& path);

// What may stop a run. One object sees one stream; begin() comes before each run, stop() after each of its points.
class Stopper {
public:
    virtual ~Stopper() = default;
    virtual void begin(const History& history) = 0;
    virtual bool stop(const History& history, const std::string& candidate, const std::vector<CurvePoint>& curve) = 0;
};

struct StreamResult {
    double used = 0;          // share of the training that running everything to its end takes
    double stopped = 0;       // share of the runs
    bool lost = false;        // the best run was stopped, and no other is as good
    double regret_added = 0;  // what is published less the best, over the median less the best
};

// `length` runs drawn without replacement, or all there are. A run without a last loss fails where its curve ends.
StreamResult replay_stream(const CurveSet& set, std::size_t length, Stopper& stopper, Random& random);

}  // namespace cultivar
