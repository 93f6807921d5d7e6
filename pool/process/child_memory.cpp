#include "pool/process/child_memory.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <fmt/format.h>

namespace cultivar {
namespace {

// Byte by byte from page to page: a string may end just before a page that is not there.
std::optional<std::string> read_text(__u32 process, __u64 address) {
    constexpr std::size_t kPage_bytes = 4096;
    std::string text;
    while (text.size() < PATH_MAX) {
        std::array<char, kPage_bytes> page{};
        const std::size_t bytes = kPage_bytes - (address + text.size()) % kPage_bytes;
        if (!read_memory(process, address + text.size(), page.data(), bytes)) return std::nullopt;
        const void* end = std::memchr(page.data(), 0, bytes);
        text.append(page.data(), end ? static_cast<std::size_t>(static_cast<const char*>(end) - page.data()) : bytes);
        if (end) return text;
    }
    return std::nullopt;
}

std::optional<std::filesystem::path> link_target(__u32 process, const std::string& name) {
    std::error_code ec;
    auto path = std::filesystem::read_symlink(fmt::format("/proc/{}/{}", process, name), ec);
    if (ec || !path.is_absolute()) return std::nullopt;
    return path;
}

std::optional<std::filesystem::path> base_of(__u32 process, int folder) {
    return link_target(process, folder == AT_FDCWD ? std::string("cwd") : fmt::format("fd/{}", folder));
}

// -1 and errno (EPERM, EXDEV, ELOOP) if the path leads elsewhere.
int open_beneath(const std::string& folder, const std::filesystem::path& path) {
    std::error_code ec;
    const auto base = std::filesystem::canonical(folder, ec);
    auto below = path.lexically_relative(base);
    if (ec || below.empty() || *below.begin() == "..") {
        errno = EPERM;
        return -1;
    }
    const int at = ::open(base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) return -1;
    open_how how{};
    how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const auto file = static_cast<int>(::syscall(SYS_openat2, at, below.c_str(), &how, sizeof how));
    const int reason = errno;
    ::close(at);
    errno = reason;
    return file;
}

}  // namespace

bool read_memory(__u32 process, __u64 address, void* to, std::size_t bytes) {
    const iovec here{to, bytes};
    const iovec there{reinterpret_cast<void*>(address), bytes};  // NOLINT(performance-no-int-to-ptr): the child's
    return ::process_vm_readv(static_cast<pid_t>(process), &here, 1, &there, 1, 0) == static_cast<ssize_t>(bytes);
}

std::optional<std::filesystem::path> path_in(__u32 process, const std::string& text, int folder) {
    const std::filesystem::path path(text);
    constexpr std::string_view kOwnFiles = "/proc/self/fd/";  // the C library names a file so that it holds open
    if (text.starts_with(kOwnFiles) && text.find_first_not_of("0123456789", kOwnFiles.size()) == std::string::npos)
        return link_target(process, "fd/" + text.substr(kOwnFiles.size()));
    if (path.is_absolute()) return path.lexically_normal();
    const auto base = base_of(process, folder);
    return base ? std::optional((*base / path).lexically_normal()) : std::nullopt;
}

std::optional<std::filesystem::path> path_of_call(__u32 process, int folder, __u64 address) {
    if (address == 0) return base_of(process, folder);
    const auto text = read_text(process, address);
    return text ? path_in(process, *text, folder) : std::nullopt;
}

int act_beneath(const std::vector<std::string>& folders, const std::filesystem::path& path, int elsewhere,
                const std::function<int(int file)>& act) {
    int reason = elsewhere;
    for (const std::string& folder : folders) {
        const int file = open_beneath(folder, path);
        if (file >= 0) {
            reason = act(file);
            ::close(file);
            break;
        }
        if (errno == ENOENT || errno == ENOTDIR) reason = errno;
    }
    return reason;
}

}  // namespace cultivar
