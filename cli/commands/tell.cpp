#include <cmath>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/format/terminal_observer.h"
#include "cli/runs/trainer_worker.h"
#include "cli/search/run_recorder.h"
#include "cli/search/tell_run.h"

namespace cultivar {
namespace {

constexpr double kMostScore = 1e12, kMostFigure = 1e9;
constexpr std::size_t kMostReasonBytes = 400;

struct TellArguments {
    std::string id;
    std::optional<std::string> score, artifact, joules, seconds, failed;
    std::optional<std::int64_t> steps;
};

Result<std::optional<double>> figure(const std::optional<std::string>& text, const char* flag, double low,
                                     double high) {
    using Figure = std::optional<double>;
    if (!text) return Figure();
    const std::optional<double> value = nearest_double(*text);
    if (!value || !std::isfinite(*value) || *value < low || *value > high)
        return fail(Code::usage,
                    fmt::format("{} = '{}': it takes a number from {:g} to {:g}", flag, clean(*text, 64), low, high),
                    "cultivar tell --help");
    return value;
}

Result<ToldResult> checked(const TellArguments& options) {
    ToldResult told;
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

Result<int> tell(Context& context, const TellArguments& options) {
    TRY_ASSIGN(const ToldResult told, checked(options));
    TRY_ASSIGN(Session session, open_session(context));
    const SystemClock clock;
    const TerminalObserver observer(context);
    TrainerWorker worker(session, clock);
    TRY_ASSIGN(const ToldRun recorded, tell_run(session, worker, observer, clock, options.id, told));
    if (recorded.late)
        context.ui.note(fmt::format("its lease was over at {}; it counts, since nobody ran it here meanwhile",
                                    utc_text(recorded.until)));
    if (context.ui.json()) {
        Json run = run_json(recorded.explored);
        add_score(run, session.clone->task, recorded.explored.run.val_bpb);
        context.ui.print(pretty(Json{{"schema", 1}, {"run", run}}));
    } else if (!context.ui.quiet()) {
        const ScoreText score = ScoreText(session.clone->task).with_noise(recorded.explored.sigma);
        context.ui.print(run_line(context.ui, score, recorded.explored.run) + "\n");
    }
    return kYes;
}

}  // namespace

Action declare_tell(Parser& parser) {
    auto options = std::make_shared<TellArguments>();
    parser.positional("ID", options->id, "an id from 'cultivar ask'");
    parser.option("--score", options->score, "X", "its score, as the task counts it");
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
