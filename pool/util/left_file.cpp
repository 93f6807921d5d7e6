#include "pool/util/left_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace cultivar {
namespace {

namespace fs = std::filesystem;

// From folder to folder by descriptors. -1: there is no such file, or a link is on the way.
int open_left(const std::string& folder, const fs::path& name) {
    if (name.is_absolute() || std::ranges::find(name, "..") != name.end()) return -1;
    int at = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (auto part = name.begin(); at >= 0 && part != name.end(); ++part) {
        const bool last = std::next(part) == name.end();
        const int flags = last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY;
        const int next = ::openat(at, part->c_str(), flags | O_NOFOLLOW | O_CLOEXEC);
        ::close(at);
        at = next;
    }
    struct stat facts {};
    if (at < 0 || (::fstat(at, &facts) == 0 && S_ISREG(facts.st_mode))) return at;
    ::close(at);
    return -1;
}

Result<std::string> read_all(int file, const std::string& name, std::size_t limit_bytes) {
    std::string bytes;
    std::array<char, 1 << 16> buffer{};
    for (;;) {
        const ssize_t got = ::read(file, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(Code::io, fmt::format("cannot read '{}': {}", name, std::strerror(errno)));
        if (got == 0) return bytes;
        bytes.append(buffer.data(), static_cast<std::size_t>(got));
        if (bytes.size() > limit_bytes)
            return fail(Code::corrupt, fmt::format("'{}' has more than {} bytes", name, limit_bytes));
    }
}

}  // namespace

Result<std::string> read_left_file(const std::string& folder, const std::string& name, std::size_t limit_bytes) {
    const int file = open_left(folder, name);
    if (file < 0) return fail(Code::not_found, fmt::format("it left no file '{}'", name));
    auto bytes = read_all(file, name, limit_bytes);
    ::close(file);
    return bytes;
}

void clear_way_to(const std::string& folder, const std::string& name) {
    fs::path at(folder);
    for (const fs::path& part : fs::path(name).parent_path()) {
        at /= part;
        std::error_code ec;
        const fs::file_status facts = fs::symlink_status(at, ec);
        if (fs::exists(facts) && !fs::is_directory(facts)) {
            fs::remove(at, ec);
            return;
        }
    }
}

}  // namespace cultivar
