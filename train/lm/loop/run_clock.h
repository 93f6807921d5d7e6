// The clock that decides a run's rates and its end: the run's own, or that of a recorded run.
//
// A run's own clock counts wall time, or, if the specification says so, its work: the time that it would have taken on a
// machine that does nothing else (train/lm/ops/work_time.h). A device other than the CPU does not tell its work: there it
// is wall time.
#pragma once

#include <memory>

#include "train/protocol/protocol.h"

namespace cultivar {

class RunClock {
public:
    virtual ~RunClock() = default;
    // Starts the clock at these readings, of itself and of the wall time while it runs.
    virtual void start(double elapsed_s, double wall_s) = 0;
    // The reading once `steps` steps are finished.
    virtual double elapsed_s(std::int64_t steps) const = 0;
    // Wall time while it ran; 0 for a recorded clock.
    virtual double wall_s() const = 0;
    // For a recorded clock the time since its start, as the run's own would count it; else 0.
    virtual double here_s() const = 0;
    // Seconds of the clock's own kind, from an arbitrary start: runs always.
    virtual double now_s() const = 0;
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
