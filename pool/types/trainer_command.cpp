#include "pool/types/trainer_command.h"

#include <algorithm>

#include <fmt/format.h>

#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxWords = 64, kMaxWord_bytes = 16 * 1024, kMaxParts = 8;
constexpr std::string_view kFolder = "files/";

// Control characters would make the displayed command differ from the executed one.
bool good_word(std::string_view word) {
    bool plain = std::all_of(word.begin(), word.end(), [](char c) {
        return static_cast<unsigned char>(c) >= ' ' ? c != 0x7f : c == '\n' || c == '\t';
    });
    return plain && word.size() <= kMaxWord_bytes;
}

// files/a/b.sh: parts of letters, digits and "._-" that do not begin with a dot.
bool good_path(std::string_view path) {
    std::size_t parts = 0;
    for (std::size_t begin = 0; begin <= path.size(); ++parts) {
        std::size_t end = std::min(path.find('/', begin), path.size());
        std::string_view part = path.substr(begin, end - begin);
        if (part.empty() || part.front() == '.') return false;
        if (!std::all_of(part.begin(), part.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                       c == '_' || c == '-';
            }))
            return false;
        begin = end + 1;
    }
    return parts <= kMaxParts;
}

}  // namespace

Result<PoolCommand> read_command(TomlTable& table) {
    const TomlEntry* entry = table.take("command.run");
    if (!entry) return fail(Code::usage, fmt::format("{}: 'command.run' is missing", table.where()));
    PoolCommand command;
    for (const Value& value : entry->values) {
        auto* word = std::get_if<std::string>(&value);
        if (!entry->is_array || !word || !good_word(*word))
            return fail(table.wrong(*entry, "'run' takes a list of words without control characters"));
        if (word->starts_with(kFolder)) {
            if (!good_path(*word)) return fail(table.wrong(*entry, fmt::format("'{}' is no file's name", *word)));
            bool known = std::any_of(command.files.begin(), command.files.end(),
                                     [&](const CommandFile& file) { return file.path == *word; });
            if (!known) command.files.push_back({*word, ""});
        }
        command.run.push_back(*word);
    }
    if (command.run.empty() || command.run.size() > kMaxWords || command.run.front().empty())
        return fail(table.wrong(*entry, fmt::format("'run' takes 1 to {} words", kMaxWords)));
    const std::string& program = command.run.front();
    if (program.find('/') != std::string::npos && !program.starts_with(kFolder))
        return fail(table.wrong(
            *entry, fmt::format("'{}' is neither a program's name nor a file of the pool under files/", program)));
    return command;
}

std::string command_toml(const PoolCommand& command) {
    std::string words;
    for (const std::string& word : command.run) words += (words.empty() ? "" : ", ") + to_toml(Value(word));
    return fmt::format("\n[command]\nrun = [{}]\n", words);
}

std::string command_lines(const PoolCommand& command) {
    std::string text;
    for (const std::string& word : command.run) text += fmt::format("command {}\n", to_toml(Value(word)));
    for (const CommandFile& file : command.files) text += fmt::format("file {} {}\n", file.path, file.sha256);
    return text;
}

std::string command_digest(const PoolCommand& command) { return sha256_hex(command_lines(command)); }

}  // namespace cultivar
