#include "cli/search/tell_run.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "cli/runs/artifact_files.h"
#include "cli/runs/ask_store.h"
#include "cli/runs/command_runner.h"
#include "cli/runs/score_artifact.h"
#include "cli/search/next_run.h"
#include "cli/search/run_recorder.h"
#include "pool/rules/record_checks.h"
#include "pool/util/sha256.h"
#include "pool/util/short_id.h"
#include "train/energy/energy_plan.h"

namespace cultivar {
namespace {

// People round; the measured score is recorded.
constexpr double kToldTolerance_bpb = 0.001, kToldRounding = 0.001;

std::string another(const LeasedRun& ask, const char* words) {
    return fmt::format("cultivar tell {} {}", short_id(ask.planned.child.id), words);
}

// A late result counts, unless the same was run here meanwhile.
Result<void> check_lateness(Session& session, const Clock& clock, const LeasedRun& ask) {
    if (ask.held(clock.unix_s())) return {};
    TRY_ASSIGN(std::vector<RunRow> runs, session.index->runs(ask.planned.child.id));
    for (const RunRow& row : runs) {
        if (row.run.writer != session.clone->writer || row.run.replicate < ask.planned.replicate) continue;
        return fail(Code::not_found,
                    fmt::format("the lease of {} was over at {}, and it was run here since",
                                short_id(ask.planned.child.id), utc_text(ask.until)),
                    "cultivar log " + short_id(ask.planned.child.id));
    }
    return {};
}

Result<std::string> read_weights(const Session& session, const LeasedRun& ask, const std::string& path) {
    const auto cap_bytes = static_cast<std::size_t>(session.clone->task.artifact_cap_bytes);
    std::error_code ec;
    if (session.clone->task.command && std::filesystem::is_directory(path, ec)) {
        TRY_ASSIGN(auto folder, left_artifact(std::filesystem::canonical(path, ec).string(),
                                              session.clone->task.artifact_cap_bytes));
        return std::move(folder).value_or("");
    }
    auto weights = read_file(path, cap_bytes);
    if (!weights && weights.error().code == Code::corrupt)
        return fail(Code::unfit, fmt::format("'{}' is over the pool's cap of {} bytes", path, cap_bytes),
                    another(ask, "--failed 'its artifact is over the cap'"));
    if (weights && weights->empty()) return fail(Code::corrupt, fmt::format("'{}' is empty", path));
    return weights;
}

// In a pool of the built-in kind the worker scores the weights here, on the whole slice, as a verifier will; in one with an
// evaluator, that does.
Result<void> take_measured(Worker& worker, const Observer& observer, const Session& session, const LeasedRun& ask,
                           const ToldResult& told, const std::string& weights, Run& run) {
    TRY_ASSIGN(Scored scored, score_artifact(worker, observer, session, ask.planned.child.genes, weights, {}, "told"));
    const Outcome& outcome = scored.outcome;
    if (outcome.error && outcome.error->kind == "artifact")
        return fail(Code::corrupt,
                    fmt::format("'{}' is not this candidate's artifact: {}", *told.artifact, outcome.error->message));
    if (outcome.how != Outcome::How::done || !outcome.done)
        return fail(Code::io, "the worker cannot score it: " + outcome.message, "cultivar version");
    const DoneEvent& done = *outcome.done;
    const Task& task = session.clone->task;
    const double measured = task.command ? loss_of(task, done) : done.val_bpb, said = task.loss_of(*told.score);
    const double tolerance =
        task.command ? task.command->evaluator->tolerance + kToldRounding * std::abs(measured) : kToldTolerance_bpb;
    if (said < measured - tolerance)
        return fail(
            Code::corrupt,
            fmt::format("'{}' measures {:.6f}, not {:.6f}", *told.artifact, task.score_of(measured), *told.score),
            another(ask, fmt::format("--score {:.6f} --artifact FILE", task.score_of(measured)).c_str()));
    run.trainer = "told, scored by " + (task.command ? std::string("the evaluator") : scored.start.trainer);
    run.val_bpb = measured;
    if (task.command) return {};
    run.val_loss = done.val_loss;
    run.chunk_loss_sums = done.chunk_loss_sums;
    run.parameters = scored.start.parameters;
    run.flops_per_token = scored.start.flops_per_token;
    return {};
}

Result<void> take_score(Worker& worker, const Observer& observer, const Session& session, const LeasedRun& ask,
                        const ToldResult& told, RunResult& result) {
    const auto& own = session.clone->task.command;
    const bool command = own.has_value(), measured = !command || own->evaluator;
    if (measured && !told.artifact)
        return fail(Code::usage, "in this pool a score counts only with the artifact that it was measured on",
                    another(ask, command ? "--score X --artifact FILE" : "--score X --artifact FILE --steps N"));
    if (!command && told.steps < 1)
        return fail(Code::usage, "how many steps were trained? give --steps",
                    another(ask, "--score X --artifact FILE --steps N"));
    Run& run = result.run;
    run.status = RunStatus::done;
    run.val_bpb = session.clone->task.loss_of(*told.score);
    if (!told.artifact) return {};
    TRY_ASSIGN(result.weights, read_weights(session, ask, *told.artifact));
    run.artifact = sha256_hex(*result.weights);
    run.artifact_bytes = static_cast<std::int64_t>(result.weights->size());
    return !measured ? Result<void>() : take_measured(worker, observer, session, ask, told, *result.weights, run);
}

// The cost as told; else the time since it was asked for, which is all that is known here.
Result<void> take_cost(const Session& session, const Clock& clock, const LeasedRun& ask, const ToldResult& told,
                       Run& run) {
    const std::int64_t now = clock.unix_s(), asked = parse_utc(ask.planned.started).value_or(now);
    const double since_s = std::max(0.0, static_cast<double>(now - asked));
    run.wall_s = told.seconds.value_or(std::min(since_s, ask.planned.budget_s));
    run.train_s = run.wall_s;
    run.steps = told.steps;
    run.ended = utc_text(now);
    const int threads = session.settings.threads.value;
    run.energy.joules = told.joules.value_or(kEstimatedWattsPerThread * threads * run.wall_s);
    run.energy.method = told.joules ? "declared" : "estimated";
    return {};
}

Result<RunResult> result_of(Worker& worker, const Observer& observer, const Clock& clock, const Session& session,
                            const LeasedRun& ask, const ToldResult& told) {
    RunResult result;
    result.run = blank_record(session, ask.planned);
    result.run.trainer = "told";
    TRY(take_cost(session, clock, ask, told, result.run));
    if (told.failed) {
        result.run.status = RunStatus::failed;
        result.run.reason = *told.failed;
    } else {
        TRY(take_score(worker, observer, session, ask, told, result));
    }
    auto sound = check_run(session.clone->task, session.clone->task_id, result.run, session.clone->writer);
    if (!sound)
        return fail(sound.error().code, "it would not be accepted: " + sound.error().message,
                    another(ask, "--failed REASON"));
    return result;
}

}  // namespace

Result<ToldRun> tell_run(Session& session, Worker& worker, const Observer& observer, const Clock& clock,
                         const std::string& id, const ToldResult& told) {
    TRY_ASSIGN(const LeasedRun ask, find_ask(session, id));
    TRY(check_lateness(session, clock, ask));
    TRY_ASSIGN(RunResult result, result_of(worker, observer, clock, session, ask, told));
    TRY_ASSIGN(FileLock lock, lock_planning(observer, session));
    TRY(session.index->refresh());
    TRY(find_ask(session, ask.planned.child.id));  // somebody may have told it meanwhile
    ToldRun recorded;
    TRY_ASSIGN(recorded.explored, record_run(session, clock, std::move(result)));
    TRY(remove_ask(session, ask.planned.child.id));
    recorded.late = !ask.held(clock.unix_s());
    recorded.until = ask.until;
    return recorded;
}

}  // namespace cultivar
