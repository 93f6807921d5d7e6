#include "cli/runs/run_execution.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "cli/runs/artifact_files.h"
#include "cli/runs/command_runner.h"
#include "cli/runs/metered_worker.h"
#include "cli/runs/run_output.h"
#include "cli/runs/specification.h"
#include "cli/session/lifted_failures.h"
#include "pool/clone/command_trust.h"
#include "pool/rules/record_checks.h"
#include "pool/util/left_folder.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr double kSlack_s = 120;    // start-up and scoring of a small model, generously
constexpr double kBusyMachine = 8;  // times as slow as on a quiet one, at most

// The only folder that the trainer may write to.
std::string work_dir(const std::string& folder) { return folder + "work/"; }

// A command of format 2 has a limit of its own, the others one that only a program in trouble meets.
WorkerJob job_of(const Session& session, const std::string& folder, const Specification& specification,
                 double budget_s) {
    const auto& command = session.clone->task.command;
    if (!command || command->format < 2) {
        // By its own clock a run takes as long as others let it.
        const double patience = specification.cpu_clock ? kBusyMachine : 1;
        return {specification, folder, kSlack_s + 2 * patience * budget_s, 2 * kSlack_s + 4 * patience * budget_s};
    }
    const double most_s = limit_s(*command, budget_s);
    return {specification, folder, 2 * most_s, most_s};  // silence is no fault of it
}

Result<void> save_plan(const Session& session, const std::string& folder, const PlannedRun& planned) {
    return write_file_unsynced(folder + "plan.json",
                               to_json(session, planned).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

// Gives the events of earlier parts of the run to the collector.
void replay_events(const std::string& path, RunCollector& collector) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        auto event = parse_event(line);
        if (event) collector.take(*event);
    }
}

// Measures the energy between a trainer's start and its scoring, or its end.
class TrainingMeter {
public:
    explicit TrainingMeter(EnergyMeter& meter) : meter_(meter) {}

    void take(const Event& event) {
        if (std::holds_alternative<StartEvent>(event)) since_ = meter_.spent();
        if (std::holds_alternative<EvalEvent>(event)) end();
    }
    void end() {
        if (!since_) return;
        const EnergyMeter::Spent now = meter_.spent();
        spent_ = {now.joules - since_->joules, now.seconds - since_->seconds};
        since_.reset();
    }
    const EnergyMeter::Spent& spent() const { return spent_; }

private:
    EnergyMeter& meter_;
    std::optional<EnergyMeter::Spent> since_;
    EnergyMeter::Spent spent_;
};

// Receives a run's events: keeps them in a file, from which the next part of the run reads them again, and decides with
// the hooks whether the run goes on.
struct Events {
    static Result<Events> open(const std::string& path, const PlannedRun& planned, EnergyMeter& energy,
                               const RunHooks& hooks) {
        Events events{
            RunCollector(planned.budget_s), TrainingMeter(energy), std::nullopt, hooks, {nullptr, &std::fclose}};
        replay_events(path, events.collector);
        events.file.reset(std::fopen(path.c_str(), "a"));
        if (!events.file) return fail(Code::io, fmt::format("cannot write '{}'", path));
        return events;
    }

    Advice take(const Event& event) {
        collector.take(event);
        std::fprintf(file.get(), "%s\n", to_line(event).c_str());
        std::fflush(file.get());
        training.take(event);
        if (!std::holds_alternative<StepEvent>(event)) return Advice::go_on;
        if (hooks.on_step) hooks.on_step(collector);
        if (hooks.hopeless) given_up = hooks.hopeless(collector);
        return given_up ? Advice::stop_hopeless : Advice::go_on;
    }

    RunCollector collector;
    TrainingMeter training;
    std::optional<StopDecision> given_up;
    const RunHooks& hooks;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file;
};

// Priming and checkpoints are off the training clock, so the training's joules are the mean power times its seconds. A
// part of the run that was killed left its seconds in the checkpoint, but not its joules; the whole run takes at least
// as many as the training.
Energy energy_of(const PlannedRun& planned, const Run& run) {
    Energy energy = planned.slots;
    take_totals(energy, run.wall_s);
    energy.joules = planned.joules;
    limit_seconds(energy, run.wall_s);
    round_figures(energy);
    if (run.steps < 1 || planned.training.seconds <= 0) return energy;
    const double train_wall_s = run.train_wall_s > 0 ? run.train_wall_s : run.train_s;
    energy.train_joules = std::max(0.0, planned.training.joules / planned.training.seconds * train_wall_s);
    energy.joules = std::max(energy.joules, *energy.train_joules);
    return energy;
}

void note_given_up(const StopDecision& decision, Run& run) {
    run.status = RunStatus::stopped;
    run.expected_bpb = decision.expected_score;
    run.reason = decision.reason;
}

// The machine's faults hold nothing against the candidate: the run waits, and its user hears of the remedy. A pool's own
// command may blame the machine for one candidate alone, and must not stop the search with it: that run has failed, for
// a reason unknown.
Result<void> check_machine(const Session& session, const std::string& folder, const Outcome& outcome) {
    switch (outcome.cause) {
        case Outcome::Cause::cannot_start:
            if (session.clone->task.command) return {};
            return fail(Code::io, fmt::format("the worker cannot run on this machine: {}", outcome.message),
                        "cultivar version");
        case Outcome::Cause::disk_full:
            return fail(Code::io,
                        fmt::format("the disk of '{}' is full; the run waits there: {}", folder, outcome.message),
                        "cultivar gc");
        case Outcome::Cause::device:
            if (session.clone->task.command) return {};
            return fail(Code::io, fmt::format("this machine cannot run it; the run waits: {}", outcome.message),
                        "cultivar status");
        default:
            return {};
    }
}

// Does a fault of the program itself raise this signal, as opposed to a person or the system that wants it to end?
bool is_of_a_crash(int signal) {
    constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    return std::ranges::find(kCrashes, signal) != std::end(kCrashes);
}

FailureKind kind_of(const Outcome& outcome) {
    const bool crashed = outcome.cause == Outcome::Cause::signal && is_of_a_crash(outcome.signal);
    return crashed || outcome.cause == Outcome::Cause::candidate ? FailureKind::candidate : FailureKind::unknown;
}

void note_failure(const Outcome& outcome, Run& run) {
    run.failure = kind_of(outcome);
    run.cause = outcome.failure;
    bool unfit = outcome.how == Outcome::How::error_event && outcome.error && outcome.error->kind == "unfit";
    run.status = unfit ? RunStatus::unfit : RunStatus::failed;
    if (unfit) run.failure = FailureKind::unknown;
    run.reason = outcome.error ? fmt::format("{}: {}", outcome.error->kind, outcome.error->message) : outcome.message;
    if (unfit) run.reason = outcome.error->message;
}

void take_training(const DoneEvent& done, Run& run) {
    run.steps = done.steps;
    run.tokens = done.tokens;
    run.train_s = done.train_s;
}

void take_weights(const std::string& weights, Run& run) {
    run.artifact = sha256_hex(weights);
    run.artifact_bytes = static_cast<std::int64_t>(weights.size());
}

Result<std::string> take_score(const DoneEvent& done, const std::string& path, std::int64_t cap_bytes, Run& run) {
    TRY_ASSIGN(std::string weights, read_file(path, static_cast<std::size_t>(cap_bytes)));
    run.status = RunStatus::done;
    take_training(done, run);
    run.val_loss = done.val_loss;
    run.val_bpb = done.val_bpb;
    run.chunk_loss_sums = done.chunk_loss_sums;
    take_weights(weights, run);
    return weights;
}

// A pool's own command may give its score alone, and may leave an artifact or not. Its training time is then the wall
// time.
Result<std::optional<std::string>> take_command_score(const Outcome& outcome, const std::string& path, const Task& task,
                                                      Run& run) {
    const DoneEvent& done = *outcome.done;
    using Weights = std::optional<std::string>;
    if (run.trainer.empty()) run.trainer = "command " + command_digest(*task.command).substr(0, 12);
    auto weights = left_artifact(path, task.artifact_cap_bytes);
    if (!weights && weights.error().code == Code::io) return fail(weights.error());
    if (!weights) return run.reason = weights.error().message, Weights();
    run.status = RunStatus::done;
    if (done.steps > 0) take_training(done, run);
    if (run.steps < 1) run.train_s = std::max(0.0, run.wall_s - outcome.evaluate_s);
    run.val_bpb = loss_of(task, done);
    if (*weights) take_weights(**weights, run);
    return weights;
}

// The score and the weights of a trainer that said it was done.
Result<std::optional<std::string>> take_done(const Clone& clone, const Outcome& outcome, const std::string& artifact,
                                             Run& run) {
    const Task& task = clone.task;
    if (task.command) return take_command_score(outcome, artifact, task, run);
    if (std::filesystem::is_symlink(artifact)) return fail(Code::corrupt, "the trainer left a link for its artifact");
    TRY_ASSIGN(std::string weights, take_score(*outcome.done, artifact, task.artifact_cap_bytes, run));
    return std::optional(std::move(weights));
}

// A record that no reader would take is none: without the figures that are out of range it is a failed run.
void leave_out_of_range(RunResult& result) {
    const auto read = parse_line(to_line(Record(result.run)));
    if (read) return;
    Run& run = result.run;
    run.status = RunStatus::failed;
    run.failure = FailureKind::candidate;
    run.reason = "a figure is out of range: " + read.error().message;
    run.curve.clear(), run.trace_elapsed_s.clear(), run.trace_loss.clear(), run.chunk_loss_sums.clear();
    run.metrics.clear(), run.val_loss.reset(), run.val_bpb.reset(), run.expected_bpb.reset();
    run.steps = run.tokens = 0;
    result.weights.reset();
}

// A result that others would refuse is none here either: the machine was too busy, the trainer is at fault, or the
// model costs more to use than the pool allows.
void refuse_unsound(const Clone& clone, RunResult& result) {
    auto sound = check_run(clone.task, clone.task_id, result.run, clone.writer);
    if (sound) return;
    const bool over_cap = sound.error().code == Code::unfit;
    result.run.status = over_cap ? RunStatus::unfit : RunStatus::failed;
    if (!over_cap) result.run.failure = FailureKind::unknown;
    result.run.reason = over_cap ? sound.error().message : "it would not be accepted: " + sound.error().message;
    result.weights.reset();
}

}  // namespace

Result<void> begin_run(const Session& session, const std::string& folder, const PlannedRun& planned) {
    TRY(end_run(folder));
    std::error_code ec;
    std::filesystem::create_directories(work_dir(folder), ec);
    if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", work_dir(folder), ec.message()));
    return save_plan(session, folder, planned);  // last: a run without a plan was never begun
}

Result<void> end_run(const std::string& folder) {
    std::error_code ec;
    // The plan goes first: a kill in between must not leave a plan without its checkpoint.
    std::filesystem::remove(folder + "plan.json", ec);
    return remove_folder(folder);
}

Result<RunResult> execute_run(const Session& session, const std::string& folder, Worker& worker, const Clock& clock,
                              PlannedRun planned, EnergyMeter& energy, const RunHooks& hooks) {
    const std::string work = std::filesystem::absolute(work_dir(folder)).string();
    TRY_ASSIGN(const Specification specification, specification_of(session, planned, work));
    TRY_ASSIGN(Events events, Events::open(folder + "events.jsonl", planned, energy, hooks));
    energy.start();
    const WorkerJob job = job_of(session, folder, specification, planned.budget_s);
    const auto outcome = MeteredWorker(worker, &energy)
                             .run(
                                 job, [&](const Event& event) { return events.take(event); }, hooks.should_stop);
    events.training.end();
    const Energy spent = energy.stop();
    if (!outcome) return fail(outcome.error());
    planned.wall_s += outcome->wall_s;
    planned.joules += spent.joules;
    add_slots(planned.slots, spent);
    planned.training.joules += events.training.spent().joules;
    planned.training.seconds += events.training.spent().seconds;
    if (outcome->how == Outcome::How::stopped) {
        TRY(save_plan(session, folder, planned));
        return RunResult{.stopped = true, .killed = {}, .run = {}, .weights = {}, .output = {}};
    }
    if (auto able = check_machine(session, folder, *outcome); !able) {
        TRY(save_plan(session, folder, planned));
        return fail(able.error());
    }
    if (outcome->cause == Outcome::Cause::signal && planned.deaths == 0) {
        ++planned.deaths;
        TRY(save_plan(session, folder, planned));
        return RunResult{.stopped = false, .killed = outcome->message, .run = {}, .weights = {}, .output = {}};
    }
    if (outcome->error && outcome->error->kind == "data" && !session.clone->task.command)
        return fail(Code::corrupt, fmt::format("the trainer cannot use the data: {}", outcome->error->message),
                    "cultivar data check");
    RunResult result;
    result.output = output_text(*outcome);
    result.run = blank_record(session, planned);
    result.run.metrics = outcome->metrics;
    result.run.unsandboxed = outcome->unsandboxed;
    events.collector.fill(result.run);
    result.run.ended = utc_text(clock.unix_s());
    result.run.wall_s = planned.wall_s;
    const bool scored = outcome->how == Outcome::How::done && outcome->done;
    if (scored) {
        TRY_ASSIGN(result.weights, take_done(*session.clone, *outcome, specification.artifact, result.run));
    }
    round_figures(result.run);
    result.run.energy = energy_of(planned, result.run);
    if (scored && result.run.status == RunStatus::done) {
        refuse_unsound(*session.clone, result);
    } else if (outcome->how == Outcome::How::hopeless && events.given_up) {
        note_given_up(*events.given_up, result.run);
    } else if (!scored) {
        note_failure(*outcome, result.run);
    }
    leave_out_of_range(result);
    if (result.run.status == RunStatus::failed) result.run.failed_worker = worker_digest(session);
    return result;
}

}  // namespace cultivar
