#include "cli/runs/command_runner.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/runs/artifact_files.h"
#include "cli/runs/command_start.h"
#include "cli/runs/source_overlay.h"
#include "pool/clone/command_trust.h"
#include "pool/util/file.h"
#include "train/launch/confinement.h"

namespace cultivar {
namespace {

constexpr double kGrace_s = 5;

LaunchOptions options_for(const WorkerJob& job, const std::string& name) {
    LaunchOptions options;
    options.spec_path = job.folder + name + ".json";
    options.log_path = job.folder + (name == "spec" ? "log" : name + ".log");
    options.hang_s = job.hang_s;
    options.wall_limit_s = job.wall_limit_s;
    options.began = job.began;
    return options;
}

void fail_for(FailureCause cause, const std::string& message, Outcome& outcome) {
    outcome.how = Outcome::How::died;
    outcome.cause = Outcome::Cause::candidate;
    outcome.failure = cause;
    outcome.message = message;
    outcome.done.reset();
}

// The job on an artifact of these bytes, laid out beside the run.
Result<WorkerJob> laid_out(const WorkerJob& job, const std::string& bytes) {
    const std::string folder = job.folder + ".kept/";  // no folder of a task begins with a dot
    TRY(make_empty_folder(folder));
    WorkerJob kept = job;
    kept.specification.artifact = folder + "artifact";
    TRY(lay_out_artifact(bytes, kept.specification.artifact));
    return kept;
}

}  // namespace

double loss_of(const Task& task, const DoneEvent& done) { return task.loss_of(done.score.value_or(done.val_bpb)); }

void CommandRunner::confine(LaunchOptions& options, const WorkerJob& job, const std::string& folder,
                            std::vector<std::string> read) const {
    options.place.folder = options.work_dir = folder;
    for (std::string& one : device_variables(job.specification)) options.place.variables.push_back(std::move(one));
    read.push_back(options.spec_path);
    const std::vector<std::string>& data = job.specification.data_files;
    read.insert(read.end(), data.begin(), data.end());
    if (!job.specification.data.empty()) read.push_back(job.specification.data);  // the links
    if (confinement_ == Confinement::none) return;
    Specification specification = job.specification;
    specification.work_dir = folder;
    confine_command(options, specification, std::move(read));
    options.sandbox->watched = confinement_ == Confinement::watched;
}

Result<Outcome> CommandRunner::run(const WorkerJob& job, const Listener& listener,
                                   const std::function<bool()>& should_stop) {
    if (job.specification.mode == Specification::Mode::score) {
        if (!command_.evaluator) return fail(Code::usage, "this pool has no evaluator, so no artifact can be scored");
        TRY(trusted_command(clone_, job.folder));
        return evaluate(job, should_stop);
    }
    TRY_ASSIGN(Outcome outcome, run_program(job, listener, should_stop));
    if (outcome.how != Outcome::How::done || !command_.evaluator) return outcome;
    listener(EvalEvent{});
    return evaluated(job, std::move(outcome), should_stop);
}

Result<Outcome> CommandRunner::run_program(const WorkerJob& job, const Listener& listener,
                                           const std::function<bool()>& should_stop) {
    LaunchOptions options = options_for(job, "spec");
    TRY_ASSIGN(options.command, trusted_command(clone_, job.folder));  // writes the files, or refuses
    TRY(write_file_unsynced(options.spec_path, to_json(job.specification) + "\n"));
    if (!job.specification.source.empty() && (confinement_ == Confinement::none || kernel_parts().landlock == 0))
        return fail(Code::usage, "a candidate that brings files runs in the sandbox alone", "cultivar explore");
    TRY_ASSIGN(const std::string root, lay_over(command_, job.specification.source, job.folder));
    const std::string files = root + std::string(kCommandFolder);
    std::vector<std::string> checks;
    std::optional<FigureReader> figures;
    if (command_.format > 1) {
        TRY_ASSIGN(CommandStart start, prepare_command(command_, job.specification, options.spec_path, files));
        TRY_ASSIGN(figures, FigureReader::make(command_));
        options.command = std::move(start.run);
        options.place.variables = std::move(start.variables);
        options.figures = &*figures;
        options.expects_result = !command_.evaluator;
        options.grace_s = kGrace_s;
        options.term_first = true;
        checks = std::move(start.checks);
    }
    std::vector<std::string> read;
    for (const std::string& folder : task_folders(command_)) read.push_back(root + folder);
    confine(options, job, job.specification.work_dir, std::move(read));
    if (options.sandbox && command_.network) allow_network(*options.sandbox);
    const auto as_loss = [&](const Event& event) {
        const auto* step = std::get_if<StepEvent>(&event);
        if (!step) return listener(event);
        StepEvent told = *step;
        told.train_loss = clone_.task.loss_of(step->train_loss);
        return listener(told);
    };
    TRY_ASSIGN(Outcome outcome, run_trainer(options, clock_, as_loss, should_stop));
    outcome.unsandboxed = confinement_ == Confinement::none;
    if (outcome.how != Outcome::How::done || checks.empty()) return outcome;
    // Its program may have put other files where the checks look for the task's, or for settings of their user's.
    TRY(prepare_command(command_, job.specification, options.spec_path, files));
    const std::string home = job.folder + ".checks/";  // no folder of a task begins with a dot
    TRY(make_empty_folder(home));
    if (options.sandbox) move_home(*options.sandbox, job.specification.work_dir, home);
    return run_checks(std::move(checks), std::move(options), std::move(outcome), should_stop);
}

Result<Outcome> CommandRunner::run_checks(std::vector<std::string> checks, LaunchOptions options, Outcome run,
                                          const std::function<bool()>& should_stop) {
    options.command = std::move(checks);
    options.figures = nullptr;
    options.expects_result = false;
    options.term_first = false;  // a check that is cut off has not passed
    const Listener nobody = [](const Event&) { return Advice::go_on; };
    TRY_ASSIGN(const Outcome checked, run_trainer(options, clock_, nobody, should_stop));
    run.wall_s += checked.wall_s;
    run.cpu_s += checked.cpu_s;
    if (checked.how == Outcome::How::done) return run;
    fail_for(FailureCause::checks, "its checks failed: " + checked.message, run);
    run.how = checked.how;
    run.cause = checked.cause;
    return run;
}

// The score is the evaluator's, whatever the program said. It scores what the pool keeps of the artifact, as a verifier will.
Result<Outcome> CommandRunner::evaluated(const WorkerJob& job, Outcome run, const std::function<bool()>& should_stop) {
    auto artifact = left_artifact(job.specification.artifact, job.specification.artifact_cap_bytes);
    if (!artifact && artifact.error().code == Code::io) return fail(artifact.error());
    if (!artifact) return fail_for(FailureCause::artifact, artifact.error().message, run), run;
    if (!*artifact)
        return fail_for(FailureCause::artifact, "it left no artifact, which the evaluator scores", run), run;
    TRY_ASSIGN(const WorkerJob kept, laid_out(job, **artifact));
    TRY_ASSIGN(const Outcome judged, evaluate(kept, should_stop));
    run.wall_s += judged.wall_s;
    run.cpu_s += judged.cpu_s;
    run.evaluate_s = judged.wall_s;
    run.evaluator_output = judged.output + judged.errors;
    if (judged.how == Outcome::How::done && judged.done) {
        if (!run.done) run.done.emplace();
        run.done->score = judged.done->score.value_or(judged.done->val_bpb);
        return run;
    }
    fail_for(FailureCause::evaluator, "its artifact was not scored: " + judged.message, run);
    run.how = judged.how;
    if (judged.cause != Outcome::Cause::candidate) run.cause = judged.cause;
    return run;
}

Result<Outcome> CommandRunner::evaluate(const WorkerJob& job, const std::function<bool()>& should_stop) {
    const Evaluator& evaluator = *command_.evaluator;
    LaunchOptions options = options_for(job, "evaluation");
    const double limit = evaluator.limit_s.value_or(limit_s(command_, job.specification.budget_s));
    const bool alone = job.specification.mode == Specification::Mode::score;
    options.wall_limit_s = alone ? std::min(limit, job.wall_limit_s) : limit;
    options.hang_s = 2 * options.wall_limit_s;
    options.grace_s = kGrace_s;
    options.term_first = true;
    Specification specification = job.specification;
    specification.mode = Specification::Mode::score;
    specification.work_dir = job.folder + "evaluation/";
    TRY(make_empty_folder(specification.work_dir));
    TRY(write_file_unsynced(options.spec_path, to_json(specification) + "\n"));
    const std::string files = job.folder + std::string(kCommandFolder);
    TRY_ASSIGN(options.command, prepare_evaluator(evaluator, specification, options.spec_path, files));
    TRY_ASSIGN(FigureReader figures, FigureReader::make(evaluator.score));
    options.figures = &figures;
    std::vector<std::string> read = {files, specification.artifact};
    if (!specification.val_shard.empty()) read.push_back(specification.val_shard);
    confine(options, job, specification.work_dir, std::move(read));
    const Listener nobody = [](const Event&) { return Advice::go_on; };
    return run_trainer(options, clock_, nobody, should_stop);
}

}  // namespace cultivar
