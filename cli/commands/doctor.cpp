// doctor: runs a thing that does not work, and tells the reason.
#include <memory>
#include <set>

#include <fmt/format.h>

#include "cli/app/json.h"
#include "cli/commands/doctor_power.h"
#include "cli/commands/registry.h"
#include "cli/format/safe_lines.h"
#include "cli/runs/run_output.h"
#include "cli/runs/trial_run.h"
#include "cli/session/session.h"

namespace cultivar {
namespace {

using Kind = Attempt::Kind;

constexpr std::size_t kMostOutput = 4000;
constexpr std::size_t kMostOfAKind = 10;  // in the text
constexpr int kLastLines = 20;

struct DoctorArguments {
    std::string what;
    bool power = false;
};

const char* name_of(Kind kind) {
    static constexpr const char* kNames[] = {"network", "local_socket", "program", "process", "signal",
                                             "look",    "system",       "read",    "write",   "start"};
    return kNames[static_cast<int>(kind)];
}

std::string advice_on(const Attempt& attempt) {
    switch (attempt.kind) {
        case Kind::network:
            return "if the task needs it: 'network = true' below [command] in pool.toml, then 'cultivar trust'";
        case Kind::local_socket:
            return "services of this machine stay closed: switch off displays, agents and servers in the program";
        case Kind::read:
            return "put the file below files/ beside pool.toml on main, or install it for the whole system below /usr "
                   "or /opt";
        case Kind::write:
            return "write in the run's own folder: the one it starts in, {work}, which is HOME and TMPDIR too";
        case Kind::start:
            return "install the program for the whole system below /usr or /opt, or put it below files/ on main";
        case Kind::process:
        case Kind::program:
        case Kind::signal:
        case Kind::look:
            return "its own processes are all that it may have to do with";
        default:
            return "if the run failed over it: it needs 'cultivar explore --no-sandbox', with all your rights";
    }
}

// As a rule the reason stands there.
std::string last_lines(const std::string& text) {
    std::size_t at = text.size();
    for (int lines = 0; at > 0 && lines <= kLastLines;) {
        if (text[--at] == '\n') ++lines;
    }
    return text.substr(at == 0 ? 0 : at + 1);
}

Json as_json(const TrialRun& trial) {
    const Outcome& outcome = trial.outcome;
    Json refused = Json::array();
    for (const Attempt& one : outcome.refused)
        refused.push_back({{"kind", name_of(one.kind)},
                           {"path", one.path.empty() ? Json(nullptr) : Json(clean(one.path, kMostOutput))},
                           {"advice", advice_on(one)}});
    const bool scored = outcome.how == Outcome::How::done && outcome.done;
    return {{"schema", 1},
            {"candidate", trial.candidate},
            {"seed", trial.seed.empty() ? Json(nullptr) : Json(trial.seed)},
            {"scored", scored},
            {"score", scored && outcome.done->score ? Json(*outcome.done->score) : Json(nullptr)},
            {"wall_s", outcome.wall_s},
            {"reason", clean(outcome.message, kMostOutput)},
            {"output", valid_utf8(last_lines(output_text(outcome)))},
            {"refused", refused}};
}

// Those of one kind lie together, with one piece of advice.
std::string refused_text(const std::set<Attempt>& refused) {
    std::string text;
    for (auto at = refused.begin(); at != refused.end();) {
        const Kind kind = at->kind;
        std::size_t count = 0;
        const std::string advice = advice_on(*at);
        for (; at != refused.end() && at->kind == kind; ++at) {
            if (++count <= kMostOfAKind) text += fmt::format("refused  {}\n", clean(text_of(*at), kMostOutput));
        }
        if (count > kMostOfAKind) text += fmt::format("         and {} more\n", count - kMostOfAKind);
        text += fmt::format("         {}\n", advice);
    }
    return text;
}

std::string as_text(const TrialRun& trial) {
    const Outcome& outcome = trial.outcome;
    const bool scored = outcome.how == Outcome::How::done && outcome.done;
    std::string text = fmt::format("ran      {} ({}), {:.1f} s\n",
                                   trial.seed.empty() ? "the defaults" : clean("the seed " + trial.seed),
                                   short_id(trial.candidate), outcome.wall_s);
    if (!scored)
        text += fmt::format("failed   {}\n{}", clean(outcome.message, kMostOutput),
                            safe_lines(last_lines(output_text(outcome))));
    if (scored && outcome.done->score) text += fmt::format("score    {:g}\n", *outcome.done->score);
    return text + refused_text(outcome.refused);
}

Result<int> doctor(Context& context, const DoctorArguments& options) {
    if (options.power == !options.what.empty())
        return fail(Code::usage, "doctor takes either 'task' or --power", "cultivar doctor --help");
    if (options.power) return doctor_power(context);
    if (options.what != "task")
        return fail(Code::usage, fmt::format("'{}' is nothing that doctor knows: task", options.what),
                    "cultivar doctor --help");
    TRY_ASSIGN(Session session, open_session(context));
    for (const std::string& gap : sandbox_gaps(kernel_parts(), true)) context.ui.warn(gap);
    const SystemClock clock;
    TRY_ASSIGN(const TrialRun trial, try_command(session, clock, [&] { return context.interrupted(); }));
    const Outcome& outcome = trial.outcome;
    context.ui.print(context.ui.json() ? pretty(as_json(trial)) : as_text(trial));
    if (outcome.refused.empty()) context.ui.note("it reached for nothing that its sandbox refuses");
    return outcome.how == Outcome::How::done && outcome.done ? kYes : kNo;
}

}  // namespace

Action declare_doctor(Parser& parser) {
    auto options = std::make_shared<DoctorArguments>();
    parser.positional("WHAT", options->what, "task: run the pool's command once and tell what its sandbox refuses",
                      false);
    parser.flag("--power", options->power, "tell which counters, meters and estimates give the energy of runs here");
    parser.example("cultivar doctor task", "why does the pool's command fail here?");
    parser.example("cultivar doctor --power", "where do the joules in my records come from?");
    return [options](Context& context) { return doctor(context, *options); };
}

}  // namespace cultivar
