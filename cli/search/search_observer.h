// The events of an exploration, in the order in which they happen.
#pragma once

#include <string>

#include "cli/runs/planned_run.h"
#include "cli/runs/run_result.h"
#include "cli/schedule/permission.h"
#include "cli/session/observer.h"
#include "pool/sync/propose.h"
#include "pool/sync/pull.h"

namespace cultivar {

class SearchObserver : public Observer {
public:
    virtual void pulled(const PullReport& report) = 0;
    virtual void offline(const std::string& reason) = 0;  // the pull failed; the search goes on without others
    virtual void proposed(const ProposeReport& report) = 0;
    virtual void not_proposed(const std::string& reason) = 0;  // the push failed; the next one sends everything
    // Runs are not allowed just now, and are again after so many seconds; each is told once a wait, whatever the loops.
    virtual void waiting(const Permission& refused) = 0;
    virtual void going_on(double waited_s) = 0;

    // `number` counts the runs of this exploration from 1.
    virtual void run_planned(int number, const PlannedRun& run) = 0;
    virtual void run_resumed(int number, const PlannedRun& run) = 0;
    virtual void step_done(int number, const PlannedRun& run, const StepEvent& step) = 0;
    virtual void trainer_left(int number) = 0;  // it trained to the end, failed, or was stopped
    virtual void run_recorded(const ExploredRun& run) = 0;
};

}  // namespace cultivar
