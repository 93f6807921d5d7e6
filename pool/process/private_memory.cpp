#include "pool/process/private_memory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr int kMostFiles = 10'000;

bool write_words(const char* path, const char* words, std::size_t bytes) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool good = ::write(file, words, bytes) == static_cast<ssize_t>(bytes);
    ::close(file);
    return good;
}

}  // namespace

PrivateMemory::PrivateMemory(std::int64_t most_bytes)
    : options_(fmt::format("size={},nr_inodes={},mode=1777", most_bytes, kMostFiles)),
      user_map_(fmt::format("{0} {0} 1", ::getuid())),
      group_map_(fmt::format("{0} {0} 1", ::getgid())),
      is_root_(::getuid() == 0) {}

bool PrivateMemory::enter() const {
    if (is_root_) {
        if (::unshare(CLONE_NEWNS) != 0) return false;
    } else if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || !write_words("/proc/self/setgroups", "deny", 4) ||
               !write_words("/proc/self/uid_map", user_map_.data(), user_map_.size()) ||
               !write_words("/proc/self/gid_map", group_map_.data(), group_map_.size())) {
        return false;
    }
    return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("tmpfs", kSharedMemory, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options_.c_str()) == 0;
}

std::optional<std::int64_t> private_memory_bytes(const std::string& process) {
    const std::string path = process + "/root" + kSharedMemory;
    struct stat here {
    }, there{};
    struct statfs room {};
    if (::stat(path.c_str(), &there) != 0 || ::statfs(path.c_str(), &room) != 0 || room.f_type != TMPFS_MAGIC)
        return std::nullopt;
    if (::stat(kSharedMemory, &here) == 0 && here.st_dev == there.st_dev) return std::nullopt;
    return static_cast<std::int64_t>(room.f_blocks - room.f_bfree) * room.f_bsize;
}

}  // namespace cultivar
