#include "train/launch/run_collector.h"

#include <algorithm>

namespace cultivar {
namespace {

constexpr double kCurveParts = 60;
constexpr std::size_t kMaxCurve = 64;  // a last step that overruns the budget adds a few points

}  // namespace

void RunCollector::take(const Event& event) {
    if (auto* start = std::get_if<StartEvent>(&event)) {
        start_ = *start;
        std::erase_if(steps_, [&](const StepEvent& step) { return step.elapsed_s > start->resumed_s; });
    } else if (auto* step = std::get_if<StepEvent>(&event)) {
        steps_.push_back(*step);
    }
}

std::vector<CurvePoint> RunCollector::curve() const {
    std::vector<CurvePoint> points;
    double sum = 0;
    int count = 0, part = 0;
    for (const StepEvent& step : steps_) {
        sum += step.train_loss;
        ++count;
        int now = static_cast<int>(step.elapsed_s / budget_s_ * kCurveParts);
        bool last = &step == &steps_.back();
        if (now == part && !last) continue;
        if (points.size() == kMaxCurve) points.pop_back();
        points.push_back({step.elapsed_s, step.step, sum / count});
        part = now;
        sum = 0;
        count = 0;
    }
    return points;
}

void RunCollector::fill(Run& run) const {
    run.trainer = start_.trainer;
    run.parameters = start_.parameters;
    run.flops_per_token = start_.flops_per_token;
    run.curve = curve();
    const std::size_t traced = std::min<std::size_t>(steps_.size(), kTraceSteps);
    // The trace ends before the first missing step (lost when the trainer was killed), so a replay meets no gap.
    for (std::size_t i = 0; i < traced && steps_[i].step == static_cast<std::int64_t>(i) + 1; ++i) {
        run.trace_elapsed_s.push_back(steps_[i].before_s);
        run.trace_loss.push_back(steps_[i].train_loss);
    }
    if (steps_.empty()) return;
    run.steps = steps_.back().step;
    run.tokens = steps_.back().tokens;
    run.train_s = steps_.back().elapsed_s;
    if (steps_.back().wall_s > 0) run.train_wall_s = steps_.back().wall_s;
}

}  // namespace cultivar
