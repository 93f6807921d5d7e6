// One run from its plan to its result. The run under way lies in a folder of its own (cli/runs/run_folder.h): plan.json,
// spec.json, events.jsonl, log, and in work/, the only folder that the trainer may write to, its checkpoints and its
// artifact. A run that was stopped or killed goes on from there. Folders have a trailing '/'.
#pragma once

#include <functional>
#include <optional>

#include "bandit/policy/early_stopping.h"
#include "cli/runs/run_folder.h"
#include "cli/runs/run_result.h"
#include "cli/runs/worker.h"
#include "pool/util/clock.h"
#include "train/energy/energy_meter.h"
#include "train/launch/run_collector.h"

namespace cultivar {

// Clears the folder and saves the plan there. Errors: io.
Result<void> begin_run(const Session& session, const std::string& folder, const PlannedRun& planned);
Result<void> end_run(const std::string& folder);  // clears it

struct RunHooks {
    std::function<void(const RunCollector&)> on_step;
    std::function<std::optional<StopDecision>(const RunCollector&)> hopeless;  // asked after each step
    std::function<bool()> should_stop;                                         // asked ten times a second
};

// Trains and scores, on the caller's thread until the trainer has left. Failures of the trainer are a RunResult of
// status failed or unfit; the first death by a signal is a RunResult::killed. Errors: not_found (worker, data), io (also
// the machine's faults: a full disk, a program that cannot be loaded, a device; the plan stays), corrupt (data, or a
// link in place of the artifact).
Result<RunResult> execute_run(const Session& session, const std::string& folder, Worker& worker, const Clock& clock,
                              PlannedRun planned, EnergyMeter& energy, const RunHooks& hooks);

}  // namespace cultivar
