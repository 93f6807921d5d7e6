#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

#include "cli/commands/registry.h"
#include "pool/types/search_space.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

std::atomic<int> g_signal{0};

// The first signal asks for a clean stop; the second ends at once (every write survives that).
extern "C" void on_signal(int signal) {
    if (g_signal.exchange(signal) != 0) ::_exit(128 + signal);
}

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

struct Group {
    const char *key, *title;
};
constexpr Group kGroups[] = {
    {"start", "START"}, {"search", "SEARCH"}, {"share", "SHARE"}, {"keep", "KEEP"}, {"look", "LOOK"}};

constexpr const char* kUsageText =
    "Optimise together: a pool of training configurations in a git repository\n\n"
    "USAGE\n  cultivar [-C DIR] [--json] [-q] [-v] [--color WHEN] COMMAND ...\n"
    "  -C DIR, from another folder; --json, for programs; -q, only errors; -v, more; --color auto, always, never\n";

std::string overview() {
    std::string text = kUsageText;
    for (const Group& group : kGroups) {
        text += fmt::format("\n{}\n", group.title);
        for (const Command& command : commands()) {
            if (std::string_view(command.group) == group.key)
                text += fmt::format("  {:<12} {}\n", command.name, command.summary);
        }
    }
    return text + "\n'cultivar COMMAND --help' tells more.\n";
}

// What a terminal shows whole: the commands by name alone.
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
    return text + "\n'cultivar --help' says what each does, 'cultivar COMMAND --help' how.\n";
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

// Flags that every command takes, wherever they stand before a "--".
struct Global {
    bool json = false, quiet = false, help = false, version = false;
    int verbose = 0;
    Ui::Color color = Ui::Color::automatic;
    std::string folder = ".";
};

Result<void> take_global(std::vector<std::string>& words, Global& global) {
    std::vector<std::string> rest;
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string word = words[i], value;
        if (word == "--") {
            rest.insert(rest.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
            break;
        }
        auto takes_value = [&](const char* flag) -> bool {
            if (word.rfind(std::string(flag) + "=", 0) == 0)
                return value = word.substr(std::string(flag).size() + 1), true;
            if (word != flag || i + 1 >= words.size()) return false;
            return value = words[++i], true;
        };
        if (word == "--json") {
            global.json = true;
        } else if (word == "-q" || word == "--quiet") {
            global.quiet = true;
        } else if (word == "-v" || word == "--verbose") {
            ++global.verbose;
        } else if (word == "-vv") {
            global.verbose += 2;
        } else if (word == "-h" || word == "--help") {
            global.help = true;
        } else if (word == "--version") {
            global.version = true;
        } else if (takes_value("--color")) {
            if (value != "always" && value != "never" && value != "auto")
                return fail(Code::usage, fmt::format("--color = '{}': it takes always, auto, never", value));
            global.color = value == "always"  ? Ui::Color::always
                           : value == "never" ? Ui::Color::never
                                              : Ui::Color::automatic;
        } else if (takes_value("-C")) {
            global.folder = value;
        } else {
            rest.push_back(std::move(word));
        }
    }
    words = std::move(rest);
    return {};
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

int run_command(Context& context, const Command& command, const std::vector<std::string>& words, bool help) {
    Parser parser(command.name, command.summary, command.usage);
    Action action = command.declare(parser);
    if (help) {
        context.ui.print(parser.help() +
                         "\nGLOBAL OPTIONS\n  --json, -q, -v, -C DIR, --color WHEN; see 'cultivar --help'\n");
        return context.ui.finish() ? kYes : kFailed;
    }
    if (auto parsed = parser.parse(words); !parsed) return give_up(context, parsed.error());
    auto done = action(context);
    if (!done) return give_up(context, done.error());
    if (!context.ui.finish()) return give_up(context, {Code::io, "cannot write to standard output", ""});
    return *done;
}

int run(std::vector<std::string> words) {
    Context context;
    context.signal = &g_signal;
    Global global;
    auto taken = take_global(words, global);
    context.ui.configure(global.quiet, global.verbose, global.json, global.color);
    context.folder = global.folder;
    if (!taken) return give_up(context, taken.error());
    if (global.version) words = {"version"};
    if (words.empty()) {
        if (!global.help) {
            fmt::print(stderr, "{}", short_overview());
            return kUsage;
        }
        context.ui.print(overview());
        return context.ui.finish() ? kYes : kFailed;
    }
    std::string name = words.front();
    words.erase(words.begin());
    if (name == "help") {
        global.help = true;
        name = words.empty() ? "" : words.front();
        if (name.empty()) return run({"--help"});
    }
    for (const Command& command : commands()) {
        if (name == command.name) return run_command(context, command, words, global.help);
    }
    return give_up(context, unknown_command(name));
}

}  // namespace
}  // namespace cultivar

int main(int argc, char** argv) {
    cultivar::catch_signals();
    try {
        return cultivar::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {  // out of memory, say
        fmt::print(stderr, "cultivar: {}\n", error.what());
        return cultivar::kFailed;
    }
}
