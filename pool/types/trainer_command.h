// The command of a pool of kind "command": a trainer of the pool's own, so that whatever has a score can be optimised.
//
//   [command]
//   run = ["python3", "files/fit.py", "--lr", "{gene.lr}"]
//   score = { regex = 'loss: ([0-9.]+)' }        absent: JSON lines (train/protocol/protocol.h); pool/types/figure_rule.h
//   progress = { regex = 'step ([0-9]+) loss ([0-9.]+)' }      step and running score; for `events`: none
//   checks = ["sh", "files/check.sh"]            runs after the program; a failure makes the run a failed one
//   limit_s = 30                                 the program gets SIGTERM then; absent: 2 budgets and 10 s
//   network = true
//   [command.env]         LEARNING_RATE = "{gene.lr}"
//   [command.metrics]     size_kb = { metric = "size" }        up to five more figures
//   [command.templates]   "config.json" = "files/config.json.in"   rendered into the run's folder
//   [evaluate]            a program that scores the artifact: pool/types/evaluator.h
//   [surface]             the source files that a candidate may bring (pool/types/surface.h)
//   [[data.file]]         files that are too large for git (pool/types/command_data.h)
//
// `run` is the program and its arguments, word by word; no shell looks at them. The program is a name that is found on
// PATH, or a file of the pool. Placeholders: pool/types/placeholders.h. The program starts in the run's folder, in which
// `files/` holds all files below files/ on main, and each folder that the surface names those below it on main. A command
// runs only where `cultivar trust` pinned its digest (pool/clone/command_trust.h).
//
// That is format 2 of a pool. In format 1 there is only `run`, in which a word `{specification}` is replaced (without
// such a word, "run PATH" is appended), a word `files/...` by the path of a copy, and the files are those so named.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pool/types/command_data.h"
#include "pool/types/command_words.h"
#include "pool/types/evaluator.h"
#include "pool/types/figure_rule.h"
#include "pool/types/search_space.h"
#include "pool/types/surface.h"

namespace cultivar {

inline constexpr std::string_view kCommandKind = "command";
inline constexpr std::size_t kMaxCommandFile_bytes = 4 << 20;
inline constexpr std::size_t kMaxCommandFiles = 1000, kMaxCommandFiles_bytes = 16 << 20;

struct CommandFile {
    std::string path;  // "files/train.sh"
    std::string sha256;
    std::string object{};  // its name in git; "" where it comes from a folder
};

struct NamedRule {
    std::string name;
    FigureRule rule;
};

struct PoolCommand {
    int format = 1;  // of the pool
    std::vector<std::string> run;
    std::vector<CommandFile> files;  // format 1: named in `run`, once each, in its order; format 2: all, sorted by path
    // All below: format 2.
    std::vector<std::pair<std::string, std::string>> environment, templates;  // sorted by name
    FigureRule score;
    std::vector<NamedRule> metrics;      // sorted by name
    std::optional<FigureRule> progress;  // an expression with two groups
    std::vector<std::string> checks;
    std::optional<double> limit_s;
    bool network = false;
    std::optional<Evaluator> evaluator;
    std::optional<Surface> surface;  // absent: candidates bring no files
    std::vector<CommandData> data;   // sorted by name
};

// Errors: usage (where:line:col). Leaves the digests of files empty, and in format 2 the files too: the reader of main
// fills them in. `entries`: of the whole file.
Result<PoolCommand> read_command(TomlTable& table, const std::vector<TomlEntry>& entries, int format);
// Are all placeholders known, and may the choices of their genes stand in a word: no control characters, no '/'? Errors:
// usage.
Result<void> check_placeholders(const PoolCommand& command, const Space& space);
// The seconds after which a run of it gets SIGTERM.
double limit_s(const PoolCommand& command, double budget_s);
// The folders on main with the task's files: "files", and those that the surface names.
std::set<std::string> task_folders(const PoolCommand& command);
// The names of the genes in its placeholders. Those in templates are unknown here.
std::set<std::string> genes_in(const PoolCommand& command);
// Can it learn which device its run is to use? Templates, and the specification of format 1, may tell it.
bool is_told_device(const PoolCommand& command);
// Is the validation file one of its data, if it says so and there are some? Errors: usage.
Result<void> check_validation(const PoolCommand& command);
// Does it name {data}, so that it runs on no machine without the data?
bool needs_data(const PoolCommand& command);
std::string command_toml(const PoolCommand& command);  // without its data

// The text that `cultivar trust` pins and that the task id contains. Format 1: a line `command WORD` for each word, as TOML
// quotes it; format 2: the lines of command_toml(), each after "command ". Then a line `file PATH SHA256` for each file, and `data NAME SHA256` for each of the data.
std::string command_lines(const PoolCommand& command);
std::string command_digest(const PoolCommand& command);  // SHA-256 of these lines

}  // namespace cultivar
