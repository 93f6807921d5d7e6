#include "pool/process/child_memory.h"

#include <array>
#include <climits>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/uio.h>

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

}  // namespace

bool read_memory(__u32 process, __u64 address, void* to, std::size_t bytes) {
    const iovec here{to, bytes};
    const iovec there{reinterpret_cast<void*>(address), bytes};  // NOLINT(performance-no-int-to-ptr): the child's
    return ::process_vm_readv(static_cast<pid_t>(process), &here, 1, &there, 1, 0) == static_cast<ssize_t>(bytes);
}

std::optional<std::filesystem::path> path_of_call(__u32 process, int folder, __u64 address) {
    auto base = link_target(process, folder == AT_FDCWD ? std::string("cwd") : fmt::format("fd/{}", folder));
    if (address == 0) return base;
    const auto text = read_text(process, address);
    if (!text) return std::nullopt;
    const std::filesystem::path path(*text);
    constexpr std::string_view kOwnFiles = "/proc/self/fd/";  // the C library names a file so that it holds open
    if (text->starts_with(kOwnFiles) && text->find_first_not_of("0123456789", kOwnFiles.size()) == std::string::npos)
        return link_target(process, "fd/" + text->substr(kOwnFiles.size()));
    if (path.is_absolute()) return path.lexically_normal();
    if (!base) return std::nullopt;
    return (*base / path).lexically_normal();
}

}  // namespace cultivar
