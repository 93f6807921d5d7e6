#include "pool/types/trainer_command.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>

#include <fmt/format.h>

#include "pool/types/command_words.h"
#include "pool/types/placeholders.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxVariables = 64, kMaxNamedMetrics = 5;
constexpr double kMostLimit_s = 1e7;

// Variables that would load other programs' code than the command's words say.
bool good_variable(std::string_view name) {
    const bool plain =
        !name.empty() && name.size() <= 64 && !(name.front() >= '0' && name.front() <= '9') &&
        std::ranges::all_of(name, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        });
    return plain && !name.starts_with("LD_") && name != "PATH";
}

// It never leads out of a folder.
bool good_choice(std::string_view choice) {
    return good_word(choice) && choice.find_first_of("/\n\t") == std::string_view::npos && choice != "." &&
           choice != "..";
}

// Format 1: the files are those that are words.
Result<void> take_named_files(TomlTable& table, const TomlEntry& entry, PoolCommand& command) {
    for (const std::string& word : command.run) {
        if (!word.starts_with(kCommandFolder)) continue;
        if (!is_plain_path(word)) return fail(table.wrong(entry, fmt::format("'{}' is no file's name", word)));
        const bool known = std::ranges::any_of(command.files, [&](const auto& file) { return file.path == word; });
        if (!known) command.files.push_back({word, ""});
    }
    return {};
}

// The entries right below command.NAME, sorted by their last key.
std::vector<const TomlEntry*> entries_below(const std::vector<TomlEntry>& entries, std::string_view name) {
    std::vector<const TomlEntry*> below;
    for (const TomlEntry& entry : entries) {
        if (entry.path.size() > 2 && entry.path[0] == "command" && entry.path[1] == name) below.push_back(&entry);
    }
    std::ranges::sort(below, {}, [](const TomlEntry* entry) { return entry->path[2]; });
    return below;
}

using GoodPair = std::function<bool(const std::string& name, const std::string& text)>;

Result<std::vector<std::pair<std::string, std::string>>> read_pairs(TomlTable& table,
                                                                    const std::vector<TomlEntry>& entries,
                                                                    const char* name, const GoodPair& good) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const TomlEntry* entry : entries_below(entries, name)) {
        table.take(entry->dotted());
        const auto* text = entry->is_array ? nullptr : std::get_if<std::string>(&entry->values.front());
        const std::string& key = entry->path.back();
        if (entry->path.size() != 3 || !text || !good_word(*text) || !good(key, *text))
            return fail(table.wrong(*entry, fmt::format("'{}' is not one for [command.{}]", entry->dotted(2), name)));
        pairs.emplace_back(key, *text);
    }
    if (pairs.size() > kMaxVariables)
        return fail(Code::usage,
                    fmt::format("{}: [command.{}] has over {} entries", table.where(), name, kMaxVariables));
    return pairs;
}

Result<std::vector<NamedRule>> read_metrics(TomlTable& table, const std::vector<TomlEntry>& entries) {
    std::vector<NamedRule> metrics;
    for (const TomlEntry* entry : entries_below(entries, "metrics")) {
        const std::string& name = entry->path[2];
        if (!metrics.empty() && metrics.back().name == name) continue;  // another key of this rule
        if (entry->path.size() != 4 || !good_variable(name))
            return fail(table.wrong(*entry, fmt::format("'{}' is no metric: name = {{ regex = '...' }}", name)));
        TRY_ASSIGN(FigureRule rule, read_figure_rule(table, fmt::format("command.metrics.{}.", name)));
        if (rule.kind == FigureRule::Kind::events)
            return fail(table.wrong(*entry, fmt::format("metric '{}' has no source: metric, regex or json", name)));
        metrics.push_back({name, std::move(rule)});
    }
    if (metrics.size() > kMaxNamedMetrics)
        return fail(Code::usage, fmt::format("{}: there are more than {} metrics", table.where(), kMaxNamedMetrics));
    return metrics;
}

Result<void> read_limit(TomlTable& table, PoolCommand& command) {
    TRY(table.read("command.limit_s", command.limit_s));
    if (!command.limit_s || (*command.limit_s > 0 && *command.limit_s <= kMostLimit_s)) return {};
    return fail(Code::usage, fmt::format("{}: 'command.limit_s' is out of range", table.where()));
}

Result<void> read_format_2(TomlTable& table, const std::vector<TomlEntry>& entries, PoolCommand& command) {
    TRY_ASSIGN(command.score, read_figure_rule(table, "command.score."));
    TRY_ASSIGN(command.metrics, read_metrics(table, entries));
    TRY_ASSIGN(const FigureRule progress, read_figure_rule(table, "command.progress."));
    if (progress.kind == FigureRule::Kind::regex) command.progress = progress;
    if (!command.progress && progress.kind != FigureRule::Kind::events)
        return fail(Code::usage, fmt::format("{}: 'command.progress' takes a regex", table.where()));
    if (const TomlEntry* entry = table.take("command.checks")) {
        TRY_ASSIGN(command.checks, read_words(table, *entry));
    }
    TRY_ASSIGN(command.environment, read_pairs(table, entries, "env", [](const std::string& name, const std::string&) {
                   return good_variable(name);
               }));
    TRY_ASSIGN(command.templates,
               read_pairs(table, entries, "templates", [](const std::string& to, const std::string& from) {
                   return is_plain_path(to) && !to.starts_with(kCommandFolder) && to + "/" != kCommandFolder &&
                          good_file(from);
               }));
    TRY(read_limit(table, command));
    TRY_ASSIGN(command.evaluator, read_evaluator(table, command.score));
    TRY(table.read("command.network", command.network));
    TRY_ASSIGN(command.data, read_data_files(table));
    TRY(check_validation(command));
    const bool has_surface = std::ranges::any_of(entries, [](const auto& one) { return one.path[0] == "surface"; });
    if (!has_surface) return {};
    TRY_ASSIGN(command.surface, read_surface(table));
    const std::set<std::string> folders = task_folders(command);
    for (const auto& [to, from] : command.templates) {
        if (!folders.contains(to.substr(0, to.find('/')))) continue;
        return fail(Code::usage, fmt::format("{}: '{}' is a template's and the surface's", table.where(), to));
    }
    return {};
}

std::string quoted(const std::string& text) { return to_toml(Value(text)); }

std::string pairs_toml(const char* table, const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::string text = pairs.empty() ? "" : fmt::format("\n[command.{}]\n", table);
    for (const auto& [name, value] : pairs) text += fmt::format("{} = {}\n", quoted(name), quoted(value));
    return text;
}

}  // namespace

Result<PoolCommand> read_command(TomlTable& table, const std::vector<TomlEntry>& entries, int format) {
    const TomlEntry* entry = table.take("command.run");
    if (!entry) return fail(Code::usage, fmt::format("{}: 'command.run' is missing", table.where()));
    PoolCommand command;
    command.format = format;
    TRY_ASSIGN(command.run, read_words(table, *entry));
    if (format < 2) {
        TRY(take_named_files(table, *entry, command));
    } else {
        TRY(read_format_2(table, entries, command));
    }
    return command;
}

std::set<std::string> task_folders(const PoolCommand& command) {
    std::set<std::string> folders = command.surface ? command.surface->folders() : std::set<std::string>();
    folders.insert("files");
    return folders;
}

std::set<std::string> genes_in(const PoolCommand& command) {
    constexpr std::string_view kPrefix = "gene.";
    std::set<std::string> genes;
    if (command.format < 2) return genes;
    for (const std::string& name : placeholders_in(command_toml(command))) {
        if (name.starts_with(kPrefix)) genes.insert(name.substr(kPrefix.size()));
    }
    return genes;
}

bool is_told_device(const PoolCommand& command) {
    if (command.format < 2 || !command.templates.empty()) return true;
    return std::ranges::any_of(placeholders_in(command_toml(command)),
                               [](const auto& name) { return name == "device" || name == "specification"; });
}

Result<void> check_validation(const PoolCommand& command) {
    const std::string validation = command.evaluator ? command.evaluator->validation : "";
    if (command.data.empty() || !validation.starts_with(kDataFolder)) return {};
    const std::string name = validation.substr(kDataFolder.size());
    if (std::ranges::find(command.data, name, &CommandData::name) != command.data.end()) return {};
    return fail(Code::usage, fmt::format("'evaluate.validation' is '{}', and no data file has that name", validation));
}

bool needs_data(const PoolCommand& command) {
    if (command.format < 2) return false;
    if (!command.data.empty() || (command.evaluator && command.evaluator->validation.starts_with(kDataFolder)))
        return true;
    const std::vector<std::string> named = placeholders_in(command_toml(command));
    return std::ranges::find(named, "data") != named.end();
}

Result<void> check_placeholders(const PoolCommand& command, const Space& space) {
    if (command.format < 2) return {};
    for (const auto* words : {&command.run, &command.checks}) {
        for (const std::string& word : *words) TRY(check_placeholders(word, space));
    }
    for (const auto& [name, text] : command.environment) TRY(check_placeholders(text, space));
    if (command.evaluator) {
        for (const std::string& word : command.evaluator->run)
            TRY(check_placeholders(word, space, PlaceholdersOf::evaluator));
    }
    for (const std::string& name : genes_in(command)) {
        const Gene* gene = space.find(name);
        for (const std::string& choice : gene ? gene->choices : std::vector<std::string>()) {
            if (good_choice(choice)) continue;
            return fail(Code::usage,
                        fmt::format("choice {} of gene '{}' cannot stand in the command: no '/', no control "
                                    "character, and neither \".\" nor \"..\"",
                                    quoted(choice), name));
        }
    }
    return {};
}

double limit_s(const PoolCommand& command, double budget_s) {
    constexpr double kBudgets = 2, kStart_s = 10;
    return command.limit_s.value_or(kBudgets * budget_s + kStart_s);
}

std::string command_toml(const PoolCommand& command) {
    std::string text = fmt::format("\n[command]\nrun = {}\n", words_toml(command.run));
    if (command.score.kind != FigureRule::Kind::events) text += fmt::format("score = {}\n", to_toml(command.score));
    if (command.progress) text += fmt::format("progress = {}\n", to_toml(*command.progress));
    if (!command.checks.empty()) text += fmt::format("checks = {}\n", words_toml(command.checks));
    if (command.limit_s) text += fmt::format("limit_s = {}\n", to_toml(Value(*command.limit_s)));
    if (command.network) text += "network = true\n";
    text += pairs_toml("env", command.environment);
    if (!command.metrics.empty()) text += "\n[command.metrics]\n";
    for (const NamedRule& metric : command.metrics) text += fmt::format("{} = {}\n", metric.name, to_toml(metric.rule));
    text += pairs_toml("templates", command.templates);
    if (command.evaluator) text += evaluator_toml(*command.evaluator);
    return command.surface ? text + surface_toml(*command.surface) : text;
}

std::string command_lines(const PoolCommand& command) {
    std::string text;
    if (command.format < 2) {
        for (const std::string& word : command.run) text += fmt::format("command {}\n", quoted(word));
    } else {
        std::istringstream lines(command_toml(command));
        for (std::string line; std::getline(lines, line);) {
            if (!line.empty()) text += fmt::format("command {}\n", line);
        }
    }
    for (const CommandFile& file : command.files) text += fmt::format("file {} {}\n", file.path, file.sha256);
    for (const CommandData& file : command.data) text += fmt::format("data {} {}\n", file.name, file.sha256);
    return text;
}

std::string command_digest(const PoolCommand& command) { return sha256_hex(command_lines(command)); }

}  // namespace cultivar
