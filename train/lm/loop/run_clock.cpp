#include "train/lm/loop/run_clock.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "pool/types/record.h"
#include "pool/util/clock.h"

namespace cultivar {
namespace {

constexpr double kTicksPer_s = 1 / kClockTick_s;

class OwnClock final : public RunClock {
public:
    explicit OwnClock(double budget_s) : budget_s_(budget_s) {}

    void start(double elapsed_s) override {
        before_s_ = elapsed_s;
        running_.emplace();
    }
    double elapsed_s(std::int64_t) const override { return std::round(exact_s() * kTicksPer_s) / kTicksPer_s; }
    bool another_step(std::int64_t steps, double reached_s) const override {
        return steps == 0 || reached_s / static_cast<double>(steps) * static_cast<double>(steps + 1) <= budget_s_;
    }
    void pause() override {
        before_s_ = exact_s();
        running_.reset();
    }
    void go_on() override { running_.emplace(); }

private:
    double exact_s() const { return before_s_ + (running_ ? running_->elapsed_s() : 0); }

    double budget_s_;
    double before_s_ = 0;               // elapsed time when it last began to run
    std::optional<Stopwatch> running_;  // runs since then; none while paused
};

class RecordedClock final : public RunClock {
public:
    explicit RecordedClock(std::vector<double> readings_s) : readings_s_(std::move(readings_s)) {}

    void start(double) override {}
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
};

}  // namespace

std::unique_ptr<RunClock> make_run_clock(const Specification& specification) {
    if (specification.clock.empty()) return std::make_unique<OwnClock>(specification.budget_s);
    return std::make_unique<RecordedClock>(specification.clock);
}

void Stopwatch::restart() { began_s_ = SystemClock().now_s(); }

double Stopwatch::elapsed_s() const { return SystemClock().now_s() - began_s_; }

}  // namespace cultivar
