// The command of a pool of kind "command": a trainer of the pool's own, so that whatever has a score can be optimised.
//
//   [command]
//   run = ["sh", "files/train.sh", "{specification}"]
//
// `run` is the program and its arguments, word by word; no shell looks at them. The program is a name that is found on
// PATH, or a file of the pool. A word `files/...` is that file on main, and is replaced by the path of a copy; a word
// `{specification}` is replaced by the path of the specification (train/protocol/protocol.h; without such a word, "run PATH" is
// appended). A command runs only where `cultivar trust` pinned its digest (pool/clone/command_trust.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pool/util/toml_table.h"

namespace cultivar {

inline constexpr std::string_view kCommandKind = "command";
inline constexpr std::size_t kMaxCommandFile_bytes = 4 << 20;

struct CommandFile {
    std::string path;  // "files/train.sh"
    std::string sha256;
};

struct PoolCommand {
    std::vector<std::string> run;
    std::vector<CommandFile> files;  // named in `run`, once each, in its order; their content is on main
};

// Errors: usage (where:line:col). Leaves the digests of files empty: the reader of main fills them in.
Result<PoolCommand> read_command(TomlTable& table);
std::string command_toml(const PoolCommand& command);

// The text that `cultivar trust` pins and that the task id contains: a line `command WORD` for each word, as TOML
// quotes it, then a line `file PATH SHA256` for each file.
std::string command_lines(const PoolCommand& command);
std::string command_digest(const PoolCommand& command);  // SHA-256 of these lines

}  // namespace cultivar
