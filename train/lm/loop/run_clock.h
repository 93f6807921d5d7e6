// The time that a run's rates and its end are computed from: the run's own, or that of a run on record.
#pragma once

#include <memory>

#include "train/protocol/protocol.h"

namespace cultivar {

class RunClock {
public:
    virtual ~RunClock() = default;
    // Runs from now on, beginning at `elapsed_s`.
    virtual void start(double elapsed_s) = 0;
    // The reading once `steps` steps are finished.
    virtual double elapsed_s(std::int64_t steps) const = 0;
    // Is there time for another step after `steps` steps, the last of which ended at `reached_s`?
    virtual bool another_step(std::int64_t steps, double reached_s) const = 0;
    // Until go_on(), no time passes.
    virtual void pause() = 0;
    virtual void go_on() = 0;
};

// With the specification's `clock` a recorded one: it allows as many steps as it has readings, and says after each what
// the record says of the next (after the last, what it said before it). Otherwise the machine's own, on which the budget
// is a cap: a step that at the mean pace so far would end beyond it is not begun, the first step excepted, since a long
// step would buy up to twice the budget. It counts in kClockTick_s, so that a record has just what the rates came from.
std::unique_ptr<RunClock> make_run_clock(const Specification& specification);

// Seconds since it was made or last restarted. Reading is thread-safe.
class Stopwatch {
public:
    Stopwatch() { restart(); }
    void restart();
    double elapsed_s() const;

private:
    double began_s_ = 0;
};

}  // namespace cultivar
