#include "cli/runs/trainer_worker.h"

#include <fmt/format.h>

#include "cli/runs/command_runner.h"
#include "pool/clone/command_trust.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "train/launch/confinement.h"

namespace cultivar {
namespace {

LaunchOptions options_for(const WorkerJob& job) {
    LaunchOptions options;
    options.spec_path = job.folder + "spec.json";
    options.log_path = job.folder + "log";
    options.hang_s = job.hang_s;
    options.wall_limit_s = job.wall_limit_s;
    options.began = job.began;
    return options;
}

}  // namespace

Result<std::vector<std::string>> TrainerWorker::command(const std::string& folder) const {
    if (session_.clone->task.command) return trusted_command(*session_.clone, folder);
    TRY_ASSIGN(std::string worker, find_worker(session_.settings));
    return std::vector<std::string>{worker};
}

Result<std::vector<std::string>> TrainerWorker::check() const {
    TRY(command(session_.clone->state_dir + "run/"));
    const bool sandboxed = confinement_ != Confinement::none;
    auto gaps =
        sandboxed ? sandbox_gaps(kernel_parts(), session_.clone->task.command.has_value()) : std::vector<std::string>();
    const auto& own = session_.clone->task.command;
    const std::string& device = session_.settings.device.value;
    if (device == "cpu") return gaps;
    if (sandboxed) TRY(require_device(device));
    if (own && !is_told_device(*own))
        gaps.push_back(
            fmt::format("the pool's command is not told of any device: its scores count as {}'s, wherever it "
                        "computes",
                        device));
    return gaps;
}

Result<void> TrainerWorker::require_device(const std::string& device) const {
    const std::string& number = session_.settings.device_number;
    if (has_device(device) && has_device_number(number)) return {};
    return fail(Code::usage,
                fmt::format("this machine has no device '{}{}' ({})", device, number.empty() ? "" : ":" + number,
                            session_.settings.device.origin),
                "cultivar explore --device cpu --runs 1");
}

Result<std::string> TrainerWorker::digest() const {
    if (const auto& own = session_.clone->task.command) return command_digest(*own);
    TRY_ASSIGN(const std::string worker, find_worker(session_.settings));
    return sha256_file_hex(worker);
}

Result<Outcome> TrainerWorker::run(const WorkerJob& job, const Listener& listener,
                                   const std::function<bool()>& should_stop) {
    if (session_.clone->task.command)
        return CommandRunner(*session_.clone, clock_, confinement_).run(job, listener, should_stop);
    LaunchOptions options = options_for(job);
    TRY_ASSIGN(options.command, command(job.folder));
    TRY(write_file_unsynced(options.spec_path, to_json(job.specification) + "\n"));
    confine(options, job.specification);
    return run_trainer(options, clock_, listener, should_stop);
}

}  // namespace cultivar
