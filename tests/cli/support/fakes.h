// A worker and an observer for tests of the engines: nothing is trained, nothing is printed.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "cli/runs/worker.h"
#include "cli/search/search_observer.h"

namespace cultivar {

// Keeps every event as one line: "run 1 planned", "note: ...".
class FakeObserver final : public SearchObserver {
public:
    bool interrupted() const override { return stop || (interrupt_after >= 0 && asked++ >= interrupt_after); }
    void note(std::string_view line) override { events.push_back("note: " + std::string(line)); }
    void warn(std::string_view line) override { events.push_back("warning: " + std::string(line)); }
    void pulled(const PullReport&) override { events.emplace_back("pulled"); }
    void offline(const std::string&) override { events.emplace_back("offline"); }
    void proposed(const ProposeReport&) override { events.emplace_back("proposed"); }
    void not_proposed(const std::string&) override { events.emplace_back("not proposed"); }
    void waiting(const Permission& refused) override {
        events.emplace_back("waiting");
        refusals.push_back(refused);
    }
    void going_on(double waited_s) override {
        events.emplace_back("going on");
        waits_s.push_back(waited_s);
    }
    void run_planned(int number, const PlannedRun& run) override { begin(number, "planned", run); }
    void run_resumed(int number, const PlannedRun& run) override { begin(number, "resumed", run); }
    void step_done(int, const PlannedRun&, const StepEvent&) override { ++steps; }
    void trainer_left(int) override { events.emplace_back("trainer left"); }
    void run_recorded(const ExploredRun& run) override {
        events.emplace_back("recorded");
        recorded.push_back(run.run);
    }

    int count(const std::string& event) const;

    std::vector<std::string> events;
    std::vector<PlannedRun> begun;
    std::vector<Run> recorded;
    std::vector<Permission> refusals;
    std::vector<double> waits_s;
    int steps = 0;
    std::atomic<bool> stop = false;
    int interrupt_after = -1;  // answers after which interrupted() says yes; below 0: never

private:
    void begin(int number, const char* how, const PlannedRun& run) {
        events.push_back("run " + std::to_string(number) + " " + how);
        begun.push_back(run);
    }
    mutable int asked = 0;
};

// Answers every job at once: a benchmark with 100 GFLOP/s, training and scoring with figures that a pool with the data of
// tiny_task() accepts.
class FakeWorker final : public Worker {
public:
    using Training =
        std::function<Outcome(const WorkerJob& job, const Listener& listener, const std::function<bool()>& stop)>;

    Result<std::vector<std::string>> check() const override { return gaps; }
    Result<std::string> digest() const override { return std::string(64, 'd'); }
    Result<Outcome> run(const WorkerJob& job, const Listener& listener, const std::function<bool()>& stop) override;

    // A run that makes `steps` steps over its budget and scores `val_loss`; it leaves weights of its own.
    static Outcome train(const WorkerJob& job, const Listener& listener, double val_loss, int steps = 10);
    static Outcome stopped(double wall_s = 1);
    static Outcome failed(const std::string& kind, const std::string& message);

    std::vector<std::string> gaps;
    std::vector<WorkerJob> jobs;
    Training training;    // none: each run scores a little better than the one before
    double val_loss = 4;  // of the next run, and of every artifact
};

}  // namespace cultivar
