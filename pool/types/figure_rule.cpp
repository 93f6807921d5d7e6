#include "pool/types/figure_rule.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace cultivar {
namespace {

using Kind = FigureRule::Kind;
using Take = FigureRule::Take;

constexpr std::size_t kMaxText_bytes = 1000, kMaxParts = 8;
constexpr std::array<std::pair<Take, const char*>, 3> kTakes{
    {{Take::last, "last"}, {Take::first, "first"}, {Take::only, "only"}}};
constexpr std::array<std::pair<Kind, const char*>, 3> kKinds{
    {{Kind::metric_line, "metric"}, {Kind::regex, "regex"}, {Kind::json_file, "json"}}};

bool is_plain(std::string_view text) {
    return !text.empty() && text.size() <= kMaxText_bytes &&
           std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_word(std::string_view text) { return is_plain(text) && text.find_first_of(" =\"") == std::string_view::npos; }

Result<void> read_take(TomlTable& table, const std::string& at, FigureRule& rule) {
    rule.take = rule.kind == Kind::metric_line ? Take::only : Take::last;
    const TomlEntry* entry = table.take(at + "take");
    if (!entry) return {};
    std::string word;
    TRY(table.read(at + "take", word));
    const auto* found = std::find_if(kTakes.begin(), kTakes.end(), [&](const auto& one) { return one.second == word; });
    if (!rule.reads_lines() || found == kTakes.end())
        return fail(table.wrong(*entry, "'take' is last, first or only, of a regex or a metric"));
    rule.take = found->first;
    return {};
}

Result<void> read_stream(TomlTable& table, const std::string& at, FigureRule& rule) {
    const TomlEntry* entry = table.take(at + "in");
    if (!entry) return {};
    std::string word;
    TRY(table.read(at + "in", word));
    if (!rule.reads_lines() || (word != "stdout" && word != "stderr"))
        return fail(table.wrong(*entry, "'in' is stdout or stderr, of a regex or a metric"));
    rule.from_errors = word == "stderr";
    return {};
}

}  // namespace

Result<FigureRule> read_figure_rule(TomlTable& table, const std::string& at) {
    FigureRule rule;
    for (const auto& [kind, key] : kKinds) {
        const TomlEntry* entry = table.take(at + key);
        if (!entry) continue;
        if (rule.kind != Kind::events)
            return fail(table.wrong(*entry, "a figure has one source: metric, regex or json"));
        TRY(table.read(at + key, rule.text));
        rule.kind = kind;
        const bool good = kind == Kind::json_file     ? is_plain_path(rule.text)
                          : kind == Kind::metric_line ? is_word(rule.text)
                                                      : is_plain(rule.text);
        if (!good) return fail(table.wrong(*entry, fmt::format("'{}' is no {} for a figure", rule.text, key)));
    }
    TRY(read_take(table, at, rule));
    TRY(read_stream(table, at, rule));
    const TomlEntry* key = table.take(at + "key");
    TRY(table.read(at + "key", rule.key));
    if (key && (rule.kind != Kind::json_file || !is_plain(rule.key)))
        return fail(table.wrong(*key, "'key' names the figure in a JSON file: json = \"result.json\", key = \"loss\""));
    if (!key && rule.kind == Kind::json_file)
        return fail(Code::usage, fmt::format("{}: '{}key' is missing", table.where(), at));
    return rule;
}

std::string to_toml(const FigureRule& rule) {
    const auto quoted = [](const std::string& text) { return to_toml(Value(text)); };
    if (rule.kind == Kind::json_file)
        return fmt::format("{{ json = {}, key = {} }}", quoted(rule.text), quoted(rule.key));
    const auto named = [](const auto& list, auto wanted) {
        return std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.first == wanted; })->second;
    };
    return fmt::format("{{ {} = {}, in = \"{}\", take = \"{}\" }}", named(kKinds, rule.kind), quoted(rule.text),
                       rule.from_errors ? "stderr" : "stdout", named(kTakes, rule.take));
}

bool is_plain_path(std::string_view path) {
    std::size_t parts = 0;
    for (std::size_t begin = 0; begin <= path.size(); ++parts) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view part = path.substr(begin, end - begin);
        if (part.empty() || part.front() == '.') return false;
        if (!std::ranges::all_of(part, [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                       c == '_' || c == '-';
            }))
            return false;
        begin = end + 1;
    }
    return parts <= kMaxParts;
}

}  // namespace cultivar
