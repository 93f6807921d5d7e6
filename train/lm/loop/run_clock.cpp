#include "train/lm/loop/run_clock.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "pool/types/record.h"
#include "pool/util/clock.h"
#include "train/lm/ops/work_time.h"

namespace cultivar {
namespace {

constexpr double kTicksPer_s = 1 / kClockTick_s;

double steady_s() { return SystemClock().now_s(); }

class OwnClock final : public RunClock {
public:
    OwnClock(double budget_s, double (*source)()) : budget_s_(budget_s), source_(source) {}

    void start(double elapsed_s, double wall_s) override {
        before_ = {elapsed_s, wall_s};
        go_on();
    }
    double elapsed_s(std::int64_t) const override { return std::round(exact().elapsed_s * kTicksPer_s) / kTicksPer_s; }
    double wall_s() const override { return exact().wall_s; }
    double here_s() const override { return 0; }
    double now_s() const override { return source_(); }
    bool another_step(std::int64_t steps, double reached_s) const override {
        return steps == 0 || reached_s / static_cast<double>(steps) * static_cast<double>(steps + 1) <= budget_s_;
    }
    void pause() override {
        before_ = exact();
        running_since_.reset();
    }
    void go_on() override { running_since_ = {source_(), steady_s()}; }

private:
    struct Reading {
        double elapsed_s = 0, wall_s = 0;
    };
    Reading exact() const {
        if (!running_since_) return before_;
        return {before_.elapsed_s + source_() - running_since_->elapsed_s,
                before_.wall_s + steady_s() - running_since_->wall_s};
    }

    double budget_s_;
    double (*source_)();
    Reading before_;                        // when it last began to run
    std::optional<Reading> running_since_;  // of both sources; none while paused
};

class RecordedClock final : public RunClock {
public:
    RecordedClock(std::vector<double> readings_s, double (*source)())
        : readings_s_(std::move(readings_s)), source_(source) {}

    void start(double, double) override { began_s_ = source_(); }
    double wall_s() const override { return 0; }
    double here_s() const override { return source_() - began_s_; }
    double now_s() const override { return source_(); }
    double elapsed_s(std::int64_t steps) const override {
        return readings_s_[std::min(static_cast<std::size_t>(steps), readings_s_.size() - 1)];
    }
    bool another_step(std::int64_t steps, double) const override {
        return static_cast<std::size_t>(steps) < readings_s_.size();
    }
    void pause() override {}
    void go_on() override {}

private:
    std::vector<double> readings_s_;  // before each step
    double (*source_)();
    double began_s_ = 0;
};

}  // namespace

std::unique_ptr<RunClock> make_run_clock(const Specification& specification) {
    const bool counts_work = specification.cpu_clock && specification.device == "cpu";
    double (*const source)() = counts_work ? &work_s : &steady_s;
    if (specification.clock.empty()) return std::make_unique<OwnClock>(specification.budget_s, source);
    return std::make_unique<RecordedClock>(specification.clock, source);
}

void Stopwatch::restart() { began_s_ = steady_s(); }

double Stopwatch::elapsed_s() const { return steady_s() - began_s_; }

}  // namespace cultivar
