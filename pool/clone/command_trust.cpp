#include "pool/clone/command_trust.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>

#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr unsigned kExecutable = 0700;

// As versions before wrote it.
std::string pin_in_clone(const Clone& clone) { return clone.state_dir + "trust"; }

Result<std::string> trust_folder() {
    const char* state = std::getenv("XDG_STATE_HOME");
    if (state && *state == '/') return std::string(state) + "/cultivar/trust";  // relative ones count not (XDG)
    const char* home = std::getenv("HOME");
    if (home && *home == '/') return std::string(home) + "/.local/state/cultivar/trust";
    const passwd* user = ::getpwuid(::geteuid());
    if (user && user->pw_dir && *user->pw_dir == '/') return std::string(user->pw_dir) + "/.local/state/cultivar/trust";
    return fail(Code::io, "there is no folder to keep trust in: neither XDG_STATE_HOME nor HOME is set");
}

// A repository on this machine, and where its pin lies.
struct Place {
    std::string path, inode, pin;  // the inode with its birth: numbers are given out again
};

Result<Place> place_of(const Clone& clone) {
    TRY_ASSIGN(const std::string folder, trust_folder());
    std::error_code ec;
    const std::string path = std::filesystem::canonical(clone.repo.git_dir(), ec).string();
    struct statx facts {};
    if (ec || ::statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &facts) != 0)
        return fail(Code::io, fmt::format("cannot look at '{}': {}", clone.repo.git_dir(),
                                          ec ? ec.message() : std::strerror(errno)));
    return Place{path, fmt::format("{} {}.{:09}", facts.stx_ino, facts.stx_btime.tv_sec, facts.stx_btime.tv_nsec),
                 fmt::format("{}/{}", folder, sha256_hex(path))};
}

struct Pin {
    std::string digest;  // "": none that counts
    bool elsewhere =
        false;  // one was made for another repository at this path, by another user, or by a version before
};

Result<Pin> pinned(const Clone& clone) {
    if (!clone.task.command) return fail(Code::usage, "this pool has no command of its own");
    TRY_ASSIGN(const Place place, place_of(clone));
    auto text = read_file(place.pin, 16384);
    if (!text && text.error().code != Code::not_found) return fail(text.error());
    if (!text) return Pin{"", ::access(pin_in_clone(clone).c_str(), F_OK) == 0};
    struct stat facts {};
    const bool own = ::stat(place.pin.c_str(), &facts) == 0 && facts.st_uid == ::geteuid();
    std::istringstream lines(*text);
    std::string digest, path, inode;
    std::getline(lines, digest), std::getline(lines, path), std::getline(lines, inode);
    const bool here = own && path == place.path && inode == place.inode;
    return Pin{here ? digest : "", !here};
}

Result<void> make_private_folder(const std::string& folder) {
    std::error_code ec;
    const std::filesystem::path path(folder);
    std::filesystem::create_directories(path.parent_path(), ec);
    if (!ec && std::filesystem::create_directory(path, ec))
        std::filesystem::permissions(path, std::filesystem::perms::owner_all, ec);
    return ec ? fail(Code::io, fmt::format("cannot create '{}': {}", folder, ec.message())) : Result<void>();
}

Result<void> remove_file(const std::string& path) {
    std::error_code ec;
    std::filesystem::remove(path, ec);
    return ec ? fail(Code::io, fmt::format("cannot remove '{}': {}", path, ec.message())) : Result<void>();
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
    TRY_ASSIGN(const Pin pin, pinned(clone));
    return pin.digest == command_digest(*clone.task.command);
}

Result<void> pin_command(const Clone& clone) {
    if (!clone.task.command) return fail(Code::usage, "this pool has no command of its own");
    TRY_ASSIGN(const Place place, place_of(clone));
    if (place.path.find('\n') != std::string::npos)
        return fail(Code::usage, "a folder with a line feed in its name is never trusted");
    TRY(make_private_folder(std::filesystem::path(place.pin).parent_path()));
    TRY(write_file_atomically(
        place.pin, fmt::format("{}\n{}\n{}\n", command_digest(*clone.task.command), place.path, place.inode), 0600));
    return remove_file(pin_in_clone(clone));
}

Result<void> revoke_command_trust(const Clone& clone) {
    TRY_ASSIGN(const Place place, place_of(clone));
    TRY(remove_file(place.pin));
    return remove_file(pin_in_clone(clone));
}

Result<std::vector<std::string>> trusted_command(const Clone& clone, const std::string& folder) {
    TRY_ASSIGN(const Pin pin, pinned(clone));
    const PoolCommand& command = *clone.task.command;
    if (pin.digest != command_digest(command))
        return fail(
            Code::not_found,
            pin.elsewhere        ? "this pool runs a command of its own; it was trusted for another folder, by another "
                                   "user or by an earlier version, which does not count here"
            : pin.digest.empty() ? "this pool runs a command of its own, which is not trusted on this machine"
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
