// Runs a pool's own command: the program, then its checks in the same folder, then the pool's evaluator in a folder of its
// own, which reads the artifact. What is left of the program by then is files alone: its processes are gone.
#pragma once

#include "cli/runs/worker.h"
#include "pool/clone/clone.h"
#include "pool/util/clock.h"

namespace cultivar {

// The score of a finished job as a loss, which everything inside minimises.
double loss_of(const Task& task, const DoneEvent& done);

class CommandRunner {
public:
    // Both must outlive it. The task has a command.
    CommandRunner(const Clone& clone, const Clock& clock, Confinement confinement)
        : clone_(clone), command_(*clone.task.command), clock_(clock), confinement_(confinement) {}

    // Mode "score" is the evaluator alone, on the job's artifact; any other one runs the program. Steps are told as losses.
    // Errors: not_found (not trusted), io, usage (mode "score" without an evaluator).
    Result<Outcome> run(const WorkerJob& job, const Listener& listener, const std::function<bool()>& should_stop);

private:
    Result<Outcome> run_program(const WorkerJob& job, const Listener& listener,
                                const std::function<bool()>& should_stop);
    Result<Outcome> run_checks(std::vector<std::string> checks, LaunchOptions options, Outcome run,
                               const std::function<bool()>& should_stop);
    Result<Outcome> evaluated(const WorkerJob& job, Outcome run, const std::function<bool()>& should_stop);
    Result<Outcome> evaluate(const WorkerJob& job, const std::function<bool()>& should_stop);
    void confine(LaunchOptions& options, const WorkerJob& job, const std::string& folder,
                 std::vector<std::string> read) const;

    const Clone& clone_;
    const PoolCommand& command_;
    const Clock& clock_;
    Confinement confinement_;
};

}  // namespace cultivar
