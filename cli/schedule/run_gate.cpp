#include "cli/schedule/run_gate.h"

#include <ctime>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr double kSame_s = 1;  // several loops ask at once
constexpr double kLookAhead_s = 60;
constexpr std::int64_t kMinute_s = 60, kFurthest_s = 2 * 86'400;

double minutes_of_day(std::int64_t unix_s) {
    const std::time_t moment = unix_s;
    std::tm parts{};
    ::localtime_r(&moment, &parts);
    return 60 * parts.tm_hour + parts.tm_min;
}

class SignalsAt final : public Signals {
public:
    SignalsAt(const GridSignals& grid, MachineSignals& machine, std::int64_t unix_s)
        : grid_(grid), machine_(machine), unix_s_(unix_s) {}

    Reading now(Signal signal) override {
        if (signal == Signal::time) return {minutes_of_day(unix_s_), "", ""};
        const bool is_grid = signal == Signal::carbon || signal == Signal::price;
        return is_grid ? grid_.at(signal, unix_s_) : machine_.now(signal);
    }
    Reading percentile(Signal signal, double percent) override { return grid_.percentile(signal, percent, unix_s_); }

private:
    const GridSignals& grid_;
    MachineSignals& machine_;
    const std::int64_t unix_s_;
};

bool changes_with_the_clock(const WhenCondition& when) { return rests_on_grid(when) || rests_on(when, Signal::time); }

}  // namespace

std::optional<std::int64_t> first_yes(const WhenCondition& when, const GridSignals& grid, MachineSignals& machine,
                                      std::int64_t now_s) {
    if (!changes_with_the_clock(when)) return std::nullopt;
    for (std::int64_t at = now_s - now_s % kMinute_s + kMinute_s; at <= now_s + kFurthest_s; at += kMinute_s) {
        SignalsAt then(grid, machine, at);
        if (judge_when(when, then).answer == WhenAnswer::yes) return at;
    }
    return std::nullopt;
}

Permission RunGate::ask() {
    const std::lock_guard alone(mutex_);
    if (clock_.now_s() - asked_s_ < kSame_s) return last_;
    last_ = judge_now();
    asked_s_ = clock_.now_s();
    last_.again_s = last_.is_given ? kAskWhileRunning_s : kAskWhileWaiting_s;
    has_gone_ = has_gone_ || last_.is_given;
    return last_;
}

Permission RunGate::judge_now() {
    if (terms_.not_before_s && clock_.unix_s() < *terms_.not_before_s) return before_window();
    return terms_.when ? by_condition(*terms_.when) : Permission();
}

Permission RunGate::before_window() const {
    return {false, fmt::format("{} have not begun", terms_.window), terms_.not_before_s};
}

Permission RunGate::by_condition(const WhenCondition& when) {
    if (rests_on_grid(when)) {
        refresh_.poll();
        grid_.read();
    }
    machine_.begin_question();
    SignalsAt now(grid_, machine_, clock_.unix_s());
    WhenJudged judged = judge_when(when, now);
    if (judged.answer != WhenAnswer::yes) {
        if (judged.answer == WhenAnswer::unknown && !refresh_.trouble().empty())
            judged.why.push_back(refresh_.trouble());
        held_since_s_.reset();
        return {false, fmt::format("{}", fmt::join(judged.why, "; ")), known_yes(when)};
    }
    const bool was_waiting = has_gone_ && !last_.is_given;
    if (!was_waiting) return {};
    if (!held_since_s_) held_since_s_ = clock_.now_s();
    const double left_s = *held_since_s_ + kHold_s - clock_.now_s();
    if (left_s <= 0) return held_since_s_.reset(), Permission();
    return {false, fmt::format("'{}' has held for less than {:.0f} s", to_text(when), kHold_s),
            clock_.unix_s() + static_cast<std::int64_t>(left_s)};
}

std::optional<std::int64_t> RunGate::known_yes(const WhenCondition& when) {
    const bool is_over = next_yes_s_ && *next_yes_s_ <= clock_.unix_s();
    if (!is_over && clock_.now_s() - looked_ahead_s_ < kLookAhead_s) return next_yes_s_;
    looked_ahead_s_ = clock_.now_s();
    next_yes_s_ = first_yes(when, grid_, machine_, clock_.unix_s());
    return next_yes_s_;
}

}  // namespace cultivar
