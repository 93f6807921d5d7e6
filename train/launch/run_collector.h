// Collects a trainer's events into the fields of a run's record: the trace of the first K steps, a curve of at most 64
// points, steps, tokens, seconds. A trainer that resumes from a checkpoint repeats some steps; the repeated steps
// replace those collected before.
#pragma once

#include <vector>

#include "pool/types/record.h"
#include "train/protocol/protocol.h"

namespace cultivar {

class RunCollector {
public:
    explicit RunCollector(double budget_s) : budget_s_(budget_s) {}

    void take(const Event& event);
    void fill(Run& run) const;  // also sets trainer, parameters and FLOPs
    std::vector<CurvePoint> curve() const;
    double elapsed_s() const { return steps_.empty() ? 0 : steps_.back().elapsed_s; }
    const std::vector<StepEvent>& steps() const { return steps_; }

private:
    double budget_s_;
    StartEvent start_;
    std::vector<StepEvent> steps_;
};

}  // namespace cultivar
