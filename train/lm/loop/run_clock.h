// The clock that decides a run's rates and its end: the run's own, or that of a recorded run.
#pragma once

#include <memory>

#include "train/protocol/protocol.h"

namespace cultivar {

class RunClock {
public:
    virtual ~RunClock() = default;
    // Starts the clock at `elapsed_s`.
    virtual void start(double elapsed_s) = 0;
    // The reading once `steps` steps are finished.
    virtual double elapsed_s(std::int64_t steps) const = 0;
    // True if there is time for another step after `steps` steps, the last of which ended at `reached_s`.
    virtual bool another_step(std::int64_t steps, double reached_s) const = 0;
    // Stops time until go_on().
    virtual void pause() = 0;
    virtual void go_on() = 0;
};

// A specification with a `clock` gets a recorded clock: it allows as many steps as it has readings, and after each step
// it reads the recorded time of the next step (after the last step, the time before it). Otherwise the run gets the
// machine's clock, for which the budget is a cap: a step that would end beyond it at the mean speed so far is not
// begun. The first step is an exception and is always begun. (Without this rule one long step could use up to twice the
// budget.) Time is counted in units of kClockTick_s, so that a record has exactly the times that the rates were
// computed from.
std::unique_ptr<RunClock> make_run_clock(const Specification& specification);

// Measures seconds since it was made or last restarted. Reading is thread-safe.
class Stopwatch {
public:
    Stopwatch() { restart(); }
    void restart();
    double elapsed_s() const;

private:
    double began_s_ = 0;
};

}  // namespace cultivar
