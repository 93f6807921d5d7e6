// The words of a program in a task file: of a pool's command, its checks and its evaluator.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pool/util/toml_table.h"

namespace cultivar {

inline constexpr std::string_view kCommandFolder = "files/";

// Control characters would make the displayed command differ from the executed one.
bool good_word(std::string_view word);
// The path of a file of the pool: "files/..." (pool/types/figure_rule.h: is_plain_path).
bool good_file(std::string_view path);

// A list of 1 to 64 words, the first of which is a program's name on PATH or a file of the pool. Errors: usage
// (where:line:col).
Result<std::vector<std::string>> read_words(TomlTable& table, const TomlEntry& entry);
std::string words_toml(const std::vector<std::string>& words);

}  // namespace cultivar
