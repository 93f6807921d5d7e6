// A rule that finds a figure, such as the score, in the output of a program that knows nothing of cultivar.
//
//   { regex = 'accuracy: ([0-9.eE+-]+)', in = "stdout", take = "last" }   one group, matched in each line
//   { metric = "accuracy" }                                               a line METRIC accuracy=0.93
//   { json = "result.json", key = "test.accuracy" }                       a file below the run's folder
//
// `in` is stdout (default) or stderr. `take` is last, first, or only: more than one such line is a failure. It is last for
// an expression and only for METRIC lines, if absent. Without any of the three keys a program writes JSON lines
// (train/protocol/protocol.h).
#pragma once

#include <string>

#include "pool/util/toml_table.h"

namespace cultivar {

struct FigureRule {
    enum class Kind { events, metric_line, regex, json_file } kind = Kind::events;
    enum class Take { last, first, only } take = Take::last;
    std::string text;  // the name in METRIC lines, the expression, or the path of the file
    std::string key;   // of a JSON file: the path to the figure, by dots
    bool from_errors = false;

    bool reads_lines() const { return kind == Kind::metric_line || kind == Kind::regex; }
    bool operator==(const FigureRule&) const = default;
};

// Reads the keys below `at` ("command.score."); events if there are none. Errors: usage (where:line:col). Does not check
// the expression itself (train/launch/figure_reader.h).
Result<FigureRule> read_figure_rule(TomlTable& table, const std::string& at);
// "{ metric = \"accuracy\" }", always in the same order; not for events.
std::string to_toml(const FigureRule& rule);

// The path of a file below a folder: parts of letters, digits and "._-" that do not begin with a dot, 8 at most.
bool is_plain_path(std::string_view path);

}  // namespace cultivar
