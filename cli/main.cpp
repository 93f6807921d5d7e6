#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fmt/format.h>

#include "cli/app/global_options.h"
#include "cli/commands/registry.h"
#include "cli/commands/version.h"
#include "pool/process/stop_signals.h"
#include "pool/util/log.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

std::atomic<int> g_signal{0};

constexpr std::int64_t kSameWish_ns = 1'000'000'000;

std::int64_t now_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

// The first signal asks for a clean stop. SIGINT or SIGTERM more than a second later ends at once (every write survives
// that); sooner it is the same wish: timeout(1) and schedulers signal a process and its group. A scheduler's warning, which
// may come every second, asks no more than once.
extern "C" void on_signal(int signal) {
    static std::atomic<std::int64_t> asked_ns{0};
    int none = 0;
    if (g_signal.compare_exchange_strong(none, signal)) return asked_ns.store(now_ns());
    const std::int64_t asked = asked_ns;
    const bool is_same_wish = asked == 0 || now_ns() - asked < kSameWish_ns;
    if (!is_same_wish && (signal == SIGINT || signal == SIGTERM)) ::_exit(128 + signal);
}

bool has_terminal() {
    const int terminal = ::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (terminal >= 0) ::close(terminal);
    return terminal >= 0;
}

// SIGHUP ends a program with its terminal; without one it is a manager's wish to stop. nohup ignores it.
bool is_hangup_a_wish() {
    struct sigaction now {};
    return ::sigaction(SIGHUP, nullptr, &now) == 0 && now.sa_handler == SIG_DFL && !has_terminal();
}

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    for (const int signal : kStopSignals) {
        if (signal != SIGHUP || is_hangup_a_wish()) ::sigaction(signal, &action, nullptr);
    }
}

struct Group {
    const char *key, *title;
};
constexpr Group kGroups[] = {
    {"start", "START"}, {"search", "SEARCH"}, {"share", "SHARE"}, {"keep", "KEEP"}, {"look", "LOOK"}};

constexpr const char* kUsageText =
    "Optimise together: a pool of training configurations in a git repository\n\n"
    "USAGE\n  cultivar [-C DIR] [--json] [-q] [-v] [--log-file FILE] [--color WHEN] COMMAND ...\n"
    "  -C DIR           run as if started in DIR\n"
    "  --json           print JSON for programs\n"
    "  -q, --quiet      print only data, warnings and errors\n"
    "  -v, --verbose    log to standard error; -vv logs more\n"
    "  --log-file FILE  log to a file too, which rotates\n"
    "  --color WHEN     auto, always or never\n";

constexpr const char* kGlobalHelp =
    "\nGLOBAL OPTIONS\n  --json, -q, -v, -C DIR, --log-file FILE, --color WHEN; see 'cultivar --help'\n";

std::string overview() {
    std::string text = kUsageText;
    for (const Group& group : kGroups) {
        text += fmt::format("\n{}\n", group.title);
        for (const Command& command : commands()) {
            if (std::string_view(command.group) == group.key)
                text += fmt::format("  {:<12} {}\n", command.name, command.summary);
        }
    }
    return text + "\n'cultivar COMMAND --help' explains a command.\n";
}

// Fits on a small terminal.
std::string short_overview() {
    std::string text = kUsageText;
    text += "\n";
    for (const Group& group : kGroups) {
        text += fmt::format("{:<7}", group.title);
        for (const Command& command : commands()) {
            if (std::string_view(command.group) == group.key) text += fmt::format(" {}", command.name);
        }
        text += "\n";
    }
    return text + "\n'cultivar --help' lists them with one line each, 'cultivar COMMAND --help' explains one.\n";
}

int exit_code(const Error& error) {
    switch (error.code) {
        case Code::usage:
            return kUsage;
        case Code::busy:
            return kBusy;
        case Code::unfit:
            return kCannotJudge;
        case Code::interrupted:
            return 128 + (g_signal ? g_signal.load() : SIGINT);
        default:
            return kFailed;
    }
}

int give_up(Context& context, const Error& error) {
    context.ui.error(error);
    return exit_code(error);
}

Error unknown_command(const std::string& word) {
    std::vector<std::string> names;
    for (const Command& command : commands()) names.push_back(command.name);
    auto near = nearest(word, names);
    return {
        Code::usage,
        fmt::format("unknown command '{}'{}", word, near.empty() ? "" : fmt::format(", did you mean '{}'?", near[0])),
        "cultivar --help"};
}

// Goes there for good, so that every name among the arguments is meant from there. What was gone to already is "".
Result<void> go_to(std::string& folder) {
    if (folder.empty() || ::chdir(folder.c_str()) == 0) return folder.clear(), Result<void>();
    return fail(Code::io, fmt::format("cannot change to '{}': {}", clean(folder), std::strerror(errno)));
}

// Folder, output and log as the flags say.
Result<void> apply(GlobalOptions& global, Context& context) {
    TRY(go_to(global.folder));
    TRY_ASSIGN(const UiOptions ui, ui_options(global));
    context.ui.configure(ui);
    const char* level = std::getenv("CULTIVAR_LOG");
    TRY_ASSIGN(LogOptions log, log_options(global, level ? level : ""));
    log.before_line = [&context] { context.ui.clear_progress(); };
    return open_log(std::move(log));
}

Result<int> print_help(Context& context, const std::string& text) {
    context.ui.print(text);
    return kYes;
}

Result<int> run_command(Context& context, const Command& command, const std::vector<std::string>& words,
                        GlobalOptions& global) {
    Parser parser(command.name, command.summary, command.usage);
    parser.globals(global);
    const Action action = command.declare(parser);
    const auto parsed = parser.parse(words);
    if (!parsed && !global.help) return fail(parsed.error());
    TRY(apply(global, context));
    if (global.help) return print_help(context, parser.help() + kGlobalHelp);
    const auto started = std::chrono::steady_clock::now();
    log_debug("cultivar {}: version {}, commit {}", command.name, kVersion, kCommit);
    Result<int> code = run_action(context, action);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    log_debug("cultivar {}: {} after {:.3f} s", command.name,
              code ? fmt::format("exit code {}", *code) : "failed: " + code.error().message, took.count());
    return code;
}

Result<int> run_named(Context& context, std::string name, const std::vector<std::string>& words,
                      GlobalOptions& global) {
    if (global.version) name = "version";
    for (const Command& command : commands()) {
        if (name == command.name) return run_command(context, command, words, global);
    }
    return fail(unknown_command(name));
}

Result<int> run(Context& context, const std::vector<std::string>& all) {
    GlobalOptions global;
    Parser front("", "", "");
    front.globals(global);
    TRY_ASSIGN(std::vector<std::string> words, front.parse_front(all));
    TRY(apply(global, context));
    const bool asked = !words.empty() && words.front() == "help";
    if (asked) words.erase(words.begin());
    global.help = global.help || asked;
    if (global.version) return run_named(context, "version", {}, global);
    if (words.empty() && global.help) return print_help(context, overview());
    if (words.empty()) {
        fmt::print(stderr, "{}", short_overview());
        return kUsage;
    }
    return run_named(context, words.front(), {words.begin() + 1, words.end()}, global);
}

int exit_code_of(const std::vector<std::string>& words) {
    Context context;
    context.signal = &g_signal;
    const Result<int> done = run(context, words);
    int code = done ? *done : give_up(context, done.error());
    if (done && !context.ui.finish()) code = give_up(context, {Code::io, "cannot write to standard output", ""});
    close_log();  // it refers to the context
    return code;
}

}  // namespace
}  // namespace cultivar

int main(int argc, char** argv) {
    cultivar::catch_signals();
    try {
        return cultivar::exit_code_of({argv + 1, argv + argc});
    } catch (const std::exception& error) {  // out of memory, say
        fmt::print(stderr, "cultivar: {}\n", error.what());
        return cultivar::kFailed;
    }
}
