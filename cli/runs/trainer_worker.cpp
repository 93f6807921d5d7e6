#include "cli/runs/trainer_worker.h"

#include <fmt/format.h>

#include "cli/runs/command_start.h"
#include "pool/clone/command_trust.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "train/launch/confinement.h"

namespace cultivar {
namespace {

constexpr double kCommandGrace_s = 5;

LaunchOptions options_for(const WorkerJob& job) {
    LaunchOptions options;
    options.spec_path = job.folder + "spec.json";
    options.log_path = job.folder + "log";
    options.hang_s = job.hang_s;
    options.wall_limit_s = job.wall_limit_s;
    return options;
}

Outcome after_checks(Outcome run, const Outcome& checks) {
    run.wall_s += checks.wall_s;
    run.cpu_s += checks.cpu_s;
    if (checks.how == Outcome::How::done) return run;
    run.how = checks.how;
    run.cause = checks.cause;
    run.failure = FailureCause::checks;
    run.message = "its checks failed: " + checks.message;
    run.done.reset();
    return run;
}

}  // namespace

Result<std::vector<std::string>> TrainerWorker::command(const std::string& folder) const {
    if (session_.clone->task.command) return trusted_command(*session_.clone, folder);
    TRY_ASSIGN(std::string worker, find_worker(session_.settings));
    return std::vector<std::string>{worker};
}

Result<std::vector<std::string>> TrainerWorker::check() const {
    TRY(command(session_.clone->state_dir + "run/"));
    return sandboxed_ ? sandbox_gaps(kernel_parts(), session_.clone->task.command.has_value())
                      : std::vector<std::string>();
}

Result<void> TrainerWorker::require_device(const std::string& device) const {
    if (session_.clone->task.command || has_device(device)) return {};
    return fail(Code::usage,
                fmt::format("this machine has no device '{}' ({})", device, session_.settings.device.origin),
                "cultivar explore --device cpu --runs 1");
}

Result<std::string> TrainerWorker::digest() const {
    TRY_ASSIGN(const std::string worker, find_worker(session_.settings));
    return sha256_file_hex(worker);
}

// The command itself, then its checks in the same folder. Losses are told as everything inside counts them.
Result<Outcome> TrainerWorker::run_command(const PoolCommand& command, const WorkerJob& job, const Listener& listener,
                                           const std::function<bool()>& should_stop) {
    LaunchOptions options = options_for(job);
    TRY_ASSIGN(options.command, trusted_command(*session_.clone, job.folder));  // writes the files, or refuses
    TRY(write_file_atomically(options.spec_path, to_json(job.specification) + "\n"));
    options.place.folder = options.work_dir = job.specification.work_dir;
    const std::string files = job.folder + std::string(kCommandFolder);
    std::vector<std::string> checks;
    std::optional<FigureReader> figures;
    if (command.format > 1) {
        TRY_ASSIGN(CommandStart start, prepare_command(command, job.specification, options.spec_path, files));
        TRY_ASSIGN(figures, FigureReader::make(command));
        options.command = std::move(start.run);
        options.place.variables = std::move(start.variables);
        options.figures = &*figures;
        options.grace_s = kCommandGrace_s;
        options.term_first = true;
        checks = std::move(start.checks);
    }
    if (sandboxed_) confine_command(options, command, job.specification, files);
    const Task& task = session_.clone->task;
    const auto as_loss = [&](const Event& event) {
        const auto* step = std::get_if<StepEvent>(&event);
        if (!step) return listener(event);
        StepEvent told = *step;
        told.train_loss = task.loss_of(step->train_loss);
        return listener(told);
    };
    TRY_ASSIGN(Outcome outcome, run_trainer(options, clock_, as_loss, should_stop));
    outcome.unsandboxed = !sandboxed_;
    if (outcome.how != Outcome::How::done || checks.empty()) return outcome;
    options.command = std::move(checks);
    options.figures = nullptr;
    options.expects_result = false;
    TRY_ASSIGN(const Outcome checked, run_trainer(options, clock_, listener, should_stop));
    return after_checks(std::move(outcome), checked);
}

Result<Outcome> TrainerWorker::run(const WorkerJob& job, const Listener& listener,
                                   const std::function<bool()>& should_stop) {
    if (const auto& own = session_.clone->task.command) return run_command(*own, job, listener, should_stop);
    LaunchOptions options = options_for(job);
    TRY_ASSIGN(options.command, command(job.folder));
    TRY(write_file_atomically(options.spec_path, to_json(job.specification) + "\n"));
    confine(options, job.specification);
    return run_trainer(options, clock_, listener, should_stop);
}

}  // namespace cultivar
