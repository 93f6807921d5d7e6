#include <charconv>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/format/terminal_observer.h"
#include "cli/runs/ask_store.h"
#include "cli/runs/score_artifact.h"
#include "cli/runs/trainer_worker.h"
#include "cli/search/next_run.h"
#include "cli/search/run_recorder.h"
#include "pool/rules/record_checks.h"
#include "pool/util/sha256.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

constexpr double kToldTolerance_bpb = 0.001;  // people round; the measured score is recorded
constexpr double kMostScore = 1e12, kMostFigure = 1e9;
constexpr std::size_t kMostReasonBytes = 400;

struct Options {
    std::string id;
    std::optional<std::string> score, artifact, joules, seconds, failed;
    std::optional<std::int64_t> steps;
};

// The options as numbers.
struct Told {
    std::optional<double> score, joules, seconds;
    std::optional<std::string> artifact, failed;
    std::int64_t steps = 0;
};

Result<std::optional<double>> figure(const std::optional<std::string>& text, const char* flag, double low,
                                     double high) {
    using Figure = std::optional<double>;
    if (!text) return Figure();
    double value = 0;
    const char* end = text->data() + text->size();
    auto [stopped, wrong] = std::from_chars(text->data(), end, value);
    if (wrong != std::errc() || stopped != end || !std::isfinite(value) || value < low || value > high)
        return fail(Code::usage,
                    fmt::format("{} = '{}': it takes a number from {:g} to {:g}", flag, clean(*text, 64), low, high),
                    "cultivar tell --help");
    return Figure(value);
}

Result<Told> checked(const Options& options) {
    Told told;
    TRY_ASSIGN(told.score, figure(options.score, "--score", -kMostScore, kMostScore));
    TRY_ASSIGN(told.joules, figure(options.joules, "--joules", 0, kMostFigure * kMostFigure));
    TRY_ASSIGN(told.seconds, figure(options.seconds, "--seconds", 0, kMostFigure));
    if (options.steps && *options.steps < 0)
        return fail(Code::usage, "--steps takes a number from 0", "cultivar tell --help");
    told.steps = options.steps.value_or(0);
    told.artifact = options.artifact;
    if (options.failed) told.failed = clean(*options.failed, kMostReasonBytes);
    if (told.score.has_value() == told.failed.has_value())
        return fail(Code::usage, "give one of --score and --failed", "cultivar tell --help");
    if (told.failed && (told.failed->empty() || told.artifact))
        return fail(Code::usage, "--failed takes a reason, and no artifact", "cultivar tell --help");
    return told;
}

std::string another(const LeasedRun& ask, const char* words) {
    return fmt::format("cultivar tell {} {}", short_id(ask.planned.child.id), words);
}

// A late result counts, unless the same was run here meanwhile.
Result<void> check_lateness(Session& session, const LeasedRun& ask) {
    if (ask.held(std::time(nullptr))) return {};
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
    auto weights = read_file(path, cap_bytes);
    if (!weights && weights.error().code == Code::corrupt)
        return fail(Code::unfit, fmt::format("'{}' is over the pool's cap of {} bytes", path, cap_bytes),
                    another(ask, "--failed 'its artifact is over the cap'"));
    if (weights && weights->empty()) return fail(Code::corrupt, fmt::format("'{}' is empty", path));
    return weights;
}

// A score of the built-in kind is measured here from the weights, on the whole slice, as a verifier will measure it.
Result<void> take_measured(Context& context, const Session& session, const LeasedRun& ask, const Told& told,
                           const std::string& weights, Run& run) {
    const SystemClock clock;
    TrainerWorker worker(session, clock);
    const TerminalObserver observer(context);
    TRY_ASSIGN(Scored scored, score_artifact(worker, observer, session, ask.planned.child.genes, weights, {}, "told"));
    const Outcome& outcome = scored.outcome;
    if (outcome.error && outcome.error->kind == "artifact")
        return fail(Code::corrupt,
                    fmt::format("'{}' is not this candidate's artifact: {}", *told.artifact, outcome.error->message));
    if (outcome.how != Outcome::How::done || !outcome.done)
        return fail(Code::io, "the worker cannot score it: " + outcome.message, "cultivar version");
    const DoneEvent& done = *outcome.done;
    if (*told.score < done.val_bpb - kToldTolerance_bpb)
        return fail(Code::corrupt,
                    fmt::format("'{}' measures {:.6f}, not {:.6f}", *told.artifact, done.val_bpb, *told.score),
                    another(ask, fmt::format("--score {:.6f} --artifact FILE", done.val_bpb).c_str()));
    run.val_loss = done.val_loss;
    run.val_bpb = done.val_bpb;
    run.chunk_loss_sums = done.chunk_loss_sums;
    run.parameters = scored.start.parameters;
    run.flops_per_token = scored.start.flops_per_token;
    run.trainer = "told, scored by " + scored.start.trainer;
    return {};
}

Result<void> take_score(Context& context, const Session& session, const LeasedRun& ask, const Told& told,
                        RunResult& result) {
    const bool command = session.clone->task.command.has_value();
    if (!command && !told.artifact)
        return fail(Code::usage, "in this pool a score counts only with the weights that it was measured on",
                    another(ask, "--score X --artifact FILE --steps N"));
    if (!command && told.steps < 1)
        return fail(Code::usage, "how many steps were trained? give --steps",
                    another(ask, "--score X --artifact FILE --steps N"));
    Run& run = result.run;
    run.status = RunStatus::done;
    run.val_bpb = *told.score;
    if (!told.artifact) return {};
    TRY_ASSIGN(result.weights, read_weights(session, ask, *told.artifact));
    run.artifact = sha256_hex(*result.weights);
    run.artifact_bytes = static_cast<std::int64_t>(result.weights->size());
    return command ? Result<void>() : take_measured(context, session, ask, told, *result.weights, run);
}

// Costs as told, else as known here: the time since the ask.
Result<void> take_cost(const Session& session, const LeasedRun& ask, const Told& told, Run& run) {
    const std::time_t now = std::time(nullptr), asked = parse_utc(ask.planned.started).value_or(now);
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

Result<RunResult> result_of(Context& context, const Session& session, const LeasedRun& ask, const Told& told) {
    RunResult result;
    result.run = blank_record(session, ask.planned);
    result.run.trainer = "told";
    TRY(take_cost(session, ask, told, result.run));
    if (told.failed) {
        result.run.status = RunStatus::failed;
        result.run.reason = *told.failed;
    } else {
        TRY(take_score(context, session, ask, told, result));
    }
    auto sound = check_run(session.clone->task, session.clone->task_id, result.run, session.clone->writer);
    if (!sound)
        return fail(sound.error().code, "it would not be accepted: " + sound.error().message,
                    another(ask, "--failed REASON"));
    return result;
}

Result<int> tell(Context& context, const Options& options) {
    TRY_ASSIGN(Told told, checked(options));
    TRY_ASSIGN(Session session, open_session(context));
    TRY_ASSIGN(LeasedRun ask, find_ask(session, options.id));
    TRY(check_lateness(session, ask));
    TRY_ASSIGN(RunResult result, result_of(context, session, ask, told));
    TRY_ASSIGN(FileLock lock, lock_planning(TerminalObserver(context), session));
    TRY(session.index->refresh());
    TRY(find_ask(session, ask.planned.child.id));  // somebody may have told it meanwhile
    const SystemClock clock;
    TRY_ASSIGN(ExploredRun explored, record_run(session, clock, std::move(result)));
    TRY(remove_ask(session, ask.planned.child.id));
    if (!ask.held(std::time(nullptr)))
        context.ui.note(fmt::format("its lease was over at {}; it counts, since nobody ran it here meanwhile",
                                    utc_text(ask.until)));
    if (context.ui.json())
        context.ui.print(pretty(Json{{"schema", 1}, {"run", run_json(explored)}}));
    else if (!context.ui.quiet())
        context.ui.print(run_line(context.ui, explored.run) + "\n");
    return kYes;
}

}  // namespace

Action declare_tell(Parser& parser) {
    auto options = std::make_shared<Options>();
    parser.positional("ID", options->id, "an id from 'cultivar ask'");
    parser.option("--score", options->score, "X", "its score; smaller is better");
    parser.option("--artifact", options->artifact, "FILE", "its weights; measured here where the pool trains models");
    parser.option("--joules", options->joules, "J", "energy of the run (default: estimated)");
    parser.option("--seconds", options->seconds, "S", "training time (default: the time since the ask)");
    parser.option("--steps", options->steps, "N", "steps of training");
    parser.option("--failed", options->failed, "REASON", "it has no score: gives the candidate back");
    parser.example("cultivar tell 1a2b3c4d --score 2.103 --artifact model.bin --steps 400", "it ran");
    parser.example("cultivar tell 1a2b3c4d --failed 'out of memory'", "it did not");
    return [options](Context& context) { return tell(context, *options); };
}

}  // namespace cultivar
