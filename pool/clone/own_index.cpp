#include "pool/clone/own_index.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "pool/clone/user_state.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostPinned_bytes = 8192;
constexpr double kPatience_s = 30;  // with a process that makes one at this moment, which takes milliseconds

// Machines may share a home and have a path each for an index of their own: a clone on a network file system keeps it on
// local disks.
Result<std::string> pin_of(const std::string& path) {
    TRY_ASSIGN(const std::string folder, user_state_folder());
    std::array<char, HOST_NAME_MAX + 1> machine{};
    if (::gethostname(machine.data(), machine.size() - 1) != 0) machine.fill('\0');
    std::error_code ec;
    const std::string real = std::filesystem::weakly_canonical(path, ec).string();
    return fmt::format("{}/index/{}", folder, sha256_hex(fmt::format("{}\n{}", real, machine.data())));
}

std::string text_of(const Identified& file) { return file.path + "\n" + file.inode + "\n"; }

bool is_pinned(const std::string& path, const std::string& pin) {
    const auto file = identify(path);
    const auto text = read_file(pin, kMostPinned_bytes);
    return file && text && is_users_own(pin) && *text == text_of(*file);
}

Result<void> put_new_file(const std::string& path) {
    std::error_code ec;
    for (const char* tail : {"", "-wal", "-shm"}) {
        std::filesystem::remove(path + tail, ec);
        if (ec) return fail(Code::io, fmt::format("cannot remove '{}{}': {}", path, tail, ec.message()));
    }
    TRY(make_folder_of(path));
    const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) return fail(Code::io, fmt::format("cannot create '{}': {}", path, std::strerror(errno)));
    ::close(fd);
    return {};
}

}  // namespace

Result<void> require_own_index(const std::string& path) {
    const auto pin = pin_of(path);
    if (!pin) return {};
    if (is_pinned(path, *pin)) return {};
    if (!make_private_folder(std::filesystem::path(*pin).parent_path())) return {};
    auto lock = FileLock::acquire(*pin + ".lock", fmt::format("pid {}", ::getpid()), kPatience_s);
    if (!lock) return lock.error().code == Code::busy ? fail(lock.error()) : Result<void>();
    if (is_pinned(path, *pin)) return {};  // made meanwhile
    TRY(put_new_file(path));
    TRY_ASSIGN(const Identified made, identify(path));
    return write_file_unsynced(*pin, text_of(made), 0600);
}

Result<void> follow_own_index(const std::string& from, const std::string& to) {
    TRY_ASSIGN(const std::string before, pin_of(from));
    const auto text = read_file(before, kMostPinned_bytes);
    const auto file = identify(to);
    if (!text || !file || !text->ends_with("\n" + file->inode + "\n")) return {};  // another one: it is made anew
    TRY_ASSIGN(const std::string now, pin_of(to));
    TRY(write_file_unsynced(now, text_of(*file), 0600));
    std::error_code ec;
    for (const char* tail : {"", ".lock"}) std::filesystem::remove(before + tail, ec);
    return {};
}

}  // namespace cultivar
