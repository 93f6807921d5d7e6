#include "pool/types/command_words.h"

#include <algorithm>

#include <fmt/format.h>

#include "pool/types/figure_rule.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxWords = 64, kMaxWord_bytes = 16 * 1024;

bool good_program(const std::string& program) {
    return program.find('/') == std::string::npos ? !program.empty() && program.find('{') == std::string::npos
                                                  : good_file(program);
}

}  // namespace

bool good_word(std::string_view word) {
    const bool plain = std::ranges::all_of(
        word, [](char c) { return static_cast<unsigned char>(c) >= ' ' ? c != 0x7f : c == '\n' || c == '\t'; });
    return plain && word.size() <= kMaxWord_bytes;
}

bool good_file(std::string_view path) { return path.starts_with(kCommandFolder) && is_plain_path(path); }

Result<std::vector<std::string>> read_words(TomlTable& table, const TomlEntry& entry) {
    const std::string& key = entry.path.back();
    std::vector<std::string> words;
    for (const Value& value : entry.values) {
        const auto* word = std::get_if<std::string>(&value);
        if (!entry.is_array || !word || !good_word(*word))
            return fail(table.wrong(entry, fmt::format("'{}' takes a list of words without control characters", key)));
        words.push_back(*word);
    }
    if (words.empty() || words.size() > kMaxWords || words.front().empty())
        return fail(table.wrong(entry, fmt::format("'{}' takes 1 to {} words", key, kMaxWords)));
    if (!good_program(words.front()))
        return fail(table.wrong(
            entry, fmt::format("'{}' is neither a program's name nor a file of the pool under files/", words.front())));
    return words;
}

std::string words_toml(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + to_toml(Value(word));
    return "[" + text + "]";
}

}  // namespace cultivar
