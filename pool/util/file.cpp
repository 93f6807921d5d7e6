#include "pool/util/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "pool/util/left_folder.h"
#include "pool/util/log.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr auto kStaleLock = std::chrono::seconds(3);
constexpr double kShortestPause_s = 0.001, kLongestPause_s = 0.05;  // between two looks at a lock

tl::unexpected<Error> io_fail(const char* what, const std::string& path) {
    const int reason = errno;
    const bool is_full = reason == ENOSPC || reason == EDQUOT;
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return fail(Code::io, fmt::format("cannot {} '{}': {}", what, path, std::strerror(reason)),
                is_full ? "df -h " + shell_word(folder.empty() ? "." : folder) : "");
}

void sync_folder_of(const std::string& path) {
    std::size_t slash = path.rfind('/');
    std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

Result<void> replace_file(const std::string& path, const std::vector<std::string_view>& parts, unsigned mode,
                          bool sync) {
    std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
    ::unlink(temporary.c_str());  // of a process that was killed; or a link that somebody laid, which nobody follows
    int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, static_cast<mode_t>(mode));
    if (fd < 0) return io_fail("create", temporary);
    bool good = std::all_of(parts.begin(), parts.end(), [&](std::string_view part) { return write_all(fd, part); }) &&
                (!sync || ::fsync(fd) == 0);
    int saved = errno;
    good = ::close(fd) == 0 && good;
    if (good && ::rename(temporary.c_str(), path.c_str()) == 0) {
        if (sync) sync_folder_of(path);
        return {};
    }
    ::unlink(temporary.c_str());
    errno = saved;
    return io_fail("write", path);
}

}  // namespace

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

Result<void> write_file_atomically(const std::string& path, std::string_view bytes, unsigned mode) {
    return replace_file(path, {bytes}, mode, true);
}

Result<void> write_file_atomically(const std::string& path, const std::vector<std::string_view>& parts, unsigned mode) {
    return replace_file(path, parts, mode, true);
}

Result<void> make_folder_of(const std::string& path) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    return ec ? fail(Code::io, fmt::format("cannot create '{}': {}", folder.string(), ec.message())) : Result<void>();
}

Result<void> make_empty_folder(const std::string& folder) {
    TRY(remove_folder(folder));
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    return ec ? fail(Code::io, fmt::format("cannot create '{}': {}", folder, ec.message())) : Result<void>();
}

Result<void> write_file_unsynced(const std::string& path, std::string_view bytes, unsigned mode) {
    return replace_file(path, {bytes}, mode, false);
}

Result<std::string> read_file(const std::string& path, std::size_t limit_bytes) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOENT) return fail(Code::not_found, fmt::format("cannot open '{}': no such file", path));
        return io_fail("open", path);
    }
    std::string bytes;
    char buffer[1 << 16];
    for (;;) {
        ssize_t got = ::read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            ::close(fd);
            return io_fail("read", path);
        }
        if (got == 0) break;
        bytes.append(buffer, static_cast<std::size_t>(got));
        if (bytes.size() > limit_bytes) {
            ::close(fd);
            return fail(Code::corrupt, fmt::format("'{}' has more than {} bytes", path, limit_bytes));
        }
    }
    ::close(fd);
    return bytes;
}

bool remove_stale_lock(const std::string& path) {
    std::error_code ec;
    auto touched = std::filesystem::last_write_time(path, ec);
    if (ec) return ec == std::errc::no_such_file_or_directory;  // else it cannot be seen, and may be alive
    if (std::filesystem::file_time_type::clock::now() - touched < kStaleLock) return false;
    std::filesystem::remove(path, ec);
    return true;
}

Result<void> sync_filesystem(const std::string& path) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return io_fail("open", path);
    bool good = ::syncfs(fd) == 0;
    int saved = errno;
    ::close(fd);
    errno = saved;
    return good ? Result<void>() : io_fail("sync the file system of", path);
}

bool has_posix_locks(const std::string& folder) {
    std::string path = folder + "/lock.XXXXXX";  // of its own: to close a file frees every lock of this process on it
    const int file = ::mkostemp(path.data(), O_CLOEXEC);
    if (file < 0) return true;
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    const bool known =
        ::fcntl(file, F_SETLK, &lock) == 0 || (errno != ENOLCK && errno != ENOSYS && errno != EOPNOTSUPP);
    ::unlink(path.c_str());
    ::close(file);
    return known;
}

Result<FileLock> FileLock::acquire(const std::string& path, const std::string& holder, double wait_s) {
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) return io_fail("open", path);
    FileLock lock(fd);
    double waited_s = 0, pause_s = kShortestPause_s;
    for (;; waited_s += pause_s, pause_s = std::min(2 * pause_s, kLongestPause_s)) {
        if (::flock(fd, LOCK_EX | LOCK_NB) == 0) break;
        if (errno != EWOULDBLOCK && errno != EINTR) return io_fail("lock", path);
        if (waited_s >= wait_s) {
            log_debug("waited {:.2f} s in vain for the lock {}", waited_s, path);
            auto who = read_file(path, 4096);
            return fail(Code::busy, fmt::format("another process is at work here: {}", who ? *who : "unknown"));
        }
        std::this_thread::sleep_for(std::chrono::duration<double>(pause_s));
    }
    if (waited_s > 0) log_debug("waited {:.2f} s for the lock {}", waited_s, path);
    log_trace("holds the lock {}", path);
    if (::ftruncate(fd, 0) != 0 || !write_all(fd, holder)) return io_fail("write", path);
    return lock;
}

bool FileLock::is_held(const std::string& path) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ::close(fd);
    return held;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }

FileLock::~FileLock() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace cultivar
