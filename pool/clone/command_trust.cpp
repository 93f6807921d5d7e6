#include "pool/clone/command_trust.h"

#include <filesystem>

#include <fmt/format.h>

#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr unsigned kExecutable = 0700;

std::string trust_path(const Clone& clone) { return clone.state_dir + "trust"; }

// The pinned digest, or "".
Result<std::string> pinned(const Clone& clone) {
    if (!clone.task.command) return fail(Code::usage, "this pool has no command of its own");
    auto text = read_file(trust_path(clone), 4096);
    if (!text) return text.error().code == Code::not_found ? Result<std::string>("") : text;
    return text->substr(0, text->find('\n'));
}

Result<std::string> copy_file(const Clone& clone, const CommandFile& file, const std::string& folder) {
    TRY_ASSIGN(std::optional<std::string> bytes, clone.command_file(file.path));
    if (!bytes || sha256_hex(*bytes) != file.sha256)
        return fail(Code::corrupt, fmt::format("'{}' on main has changed", file.path));
    std::filesystem::path path = std::filesystem::absolute(folder) / file.path;
    std::error_code ec;
    std::filesystem::create_directories(path.parent_path(), ec);
    if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", path.parent_path().string(), ec.message()));
    TRY(write_file_atomically(path.string(), *bytes, kExecutable));
    return path.string();
}

}  // namespace

Result<bool> is_command_trusted(const Clone& clone) {
    TRY_ASSIGN(std::string digest, pinned(clone));
    return digest == command_digest(*clone.task.command);
}

Result<void> pin_command(const Clone& clone) {
    TRY(pinned(clone));
    return write_file_atomically(trust_path(clone), command_digest(*clone.task.command) + "\n", 0600);
}

Result<void> revoke_command_trust(const Clone& clone) {
    std::error_code ec;
    std::filesystem::remove(trust_path(clone), ec);
    return ec ? fail(Code::io, fmt::format("cannot remove '{}': {}", trust_path(clone), ec.message())) : Result<void>();
}

Result<std::vector<std::string>> trusted_command(const Clone& clone, const std::string& folder) {
    TRY_ASSIGN(std::string digest, pinned(clone));
    const PoolCommand& command = *clone.task.command;
    if (digest != command_digest(command))
        return fail(Code::not_found,
                    digest.empty() ? "this pool runs a command of its own, which is not trusted on this machine"
                                   : "the pool's command is not the one that was trusted on this machine: it changed",
                    "cultivar trust");
    std::vector<std::string> words = command.run;
    for (const CommandFile& file : command.files) {
        TRY_ASSIGN(std::string path, copy_file(clone, file, folder));
        for (std::string& word : words) {
            if (word == file.path) word = path;
        }
    }
    return words;
}

}  // namespace cultivar
