// Early stopping on real curves: streams of configurations that others trained to the end are replayed run by run with
// a rule that may stop them.
#pragma once

#include <string>
#include <vector>

#include "bandit/history/history.h"
#include "bandit/space/random.h"
#include "pool/util/result.h"

namespace cultivar {

// A curve file. The header names fractions of the budget ("t0.05,t0.1,...,t1"). A row has one run's validation loss at
// each; an empty field is a missing loss.
struct CurveSet {
    std::string name;
    std::vector<std::vector<CurvePoint>> runs;  // elapsed_s from 0 to kReplayBudget_s; missing losses are left out
};
inline constexpr double kReplayBudget_s = 1000;

// Errors: io, corrupt (the header is not increasing fractions that end in 1, a row is too long, fewer than 2 runs have
// a last loss).
Result<CurveSet> read_curves(const std::string& path);

// A rule that may stop a run. One object sees one stream; begin() comes before each run, stop() after each of its
// points.
class Stopper {
public:
    virtual ~Stopper() = default;
    virtual void begin(const History& history) = 0;
    virtual bool stop(const History& history, const std::string& candidate, const std::vector<CurvePoint>& curve) = 0;
};

struct StreamResult {
    double used = 0;          // share of the training that runs without stopping would take
    double stopped = 0;       // share of the runs that were stopped
    bool lost = false;        // the best run was stopped, and no other is as good
    double regret_added = 0;  // (published - best) / (median - best)
};

// Replays `length` runs drawn without replacement, or all there are. A run without a last loss fails where its curve
// ends.
StreamResult replay_stream(const CurveSet& set, std::size_t length, Stopper& stopper, Random& random);

}  // namespace cultivar
