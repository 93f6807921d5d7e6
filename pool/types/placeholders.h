// Placeholders in the words, the environment and the templates of a pool's command: {gene.lr}, {seed}, {budget_s},
// {threads}, {device}, {work}, {artifact}, {files}, {data}, {specification}.
//
// A value replaces its placeholder within one word: it never becomes a second word, and no shell looks at it. In words and
// in the environment anything else of the form {name} is an error, which finds typing mistakes; in a template it stays.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pool/types/search_space.h"
#include "pool/util/result.h"

namespace cultivar {

using Placeholders = std::map<std::string, std::string, std::less<>>;  // name without braces, text

// A gene's value as programs read it: 12, 0.001, true, word.
std::string plain_text(const Value& value);

// The names of the form {name} in a text, in order.
std::vector<std::string> placeholders_in(std::string_view text);
// Is each of them a gene of the space or one of those above? An evaluator has {validation} and {hold_out} too. Errors: usage, with the
// nearest name.
enum class PlaceholdersOf { command, evaluator };
Result<void> check_placeholders(std::string_view text, const Space& space, PlaceholdersOf of = PlaceholdersOf::command);

// Replaces those that `values` has. Others stay.
std::string filled(std::string_view text, const Placeholders& values);

}  // namespace cultivar
