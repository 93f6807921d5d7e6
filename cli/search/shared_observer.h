// An observer for several threads at once: it passes one event on after the other.
#pragma once

#include <mutex>

#include "cli/search/search_observer.h"

namespace cultivar {

class SharedObserver final : public SearchObserver {
    SearchObserver& one_;
    mutable std::mutex mutex_;

    auto alone(const auto& tell) const {
        const std::lock_guard hold(mutex_);
        return tell();
    }

public:
    explicit SharedObserver(SearchObserver& one) : one_(one) {}  // must outlive it

    bool interrupted() const override {
        return alone([&] { return one_.interrupted(); });
    }
    void note(std::string_view line) override {
        alone([&] { one_.note(line); });
    }
    void warn(std::string_view line) override {
        alone([&] { one_.warn(line); });
    }
    void pulled(const PullReport& report) override {
        alone([&] { one_.pulled(report); });
    }
    void offline(const std::string& reason) override {
        alone([&] { one_.offline(reason); });
    }
    void proposed(const ProposeReport& report) override {
        alone([&] { one_.proposed(report); });
    }
    void not_proposed(const std::string& reason) override {
        alone([&] { one_.not_proposed(reason); });
    }
    void waiting(const Permission& refused) override {
        alone([&] { one_.waiting(refused); });
    }
    void going_on(double waited_s) override {
        alone([&] { one_.going_on(waited_s); });
    }
    void run_planned(int number, const PlannedRun& run) override {
        alone([&] { one_.run_planned(number, run); });
    }
    void run_resumed(int number, const PlannedRun& run) override {
        alone([&] { one_.run_resumed(number, run); });
    }
    void step_done(int number, const PlannedRun& run, const StepEvent& step) override {
        alone([&] { one_.step_done(number, run, step); });
    }
    void trainer_left(int number) override {
        alone([&] { one_.trainer_left(number); });
    }
    void run_recorded(const ExploredRun& run) override {
        alone([&] { one_.run_recorded(run); });
    }
};

}  // namespace cultivar
