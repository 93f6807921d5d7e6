// Local files that survive a kill: written whole or not at all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

// Writes all bytes to an open file, however many calls it takes; false (errno) where the system takes no more.
bool write_all(int fd, std::string_view bytes);

// Temporary file beside `path`, fsync, rename, fsync of the folder; follows no link. Errors: io (a full disk leaves the
// old file).
Result<void> write_file_atomically(const std::string& path, std::string_view bytes, unsigned mode = 0644);
// The same from parts that lie one after another in the file.
Result<void> write_file_atomically(const std::string& path, const std::vector<std::string_view>& parts,
                                   unsigned mode = 0644);

// The folder of this path, with those above it. Errors: io.
Result<void> make_folder_of(const std::string& path);
// An existing and empty folder. Errors: io.
Result<void> make_empty_folder(const std::string& folder);
// Without the two fsyncs, for a file that can be made again: after a power failure it may be the old one, empty or missing.
Result<void> write_file_unsynced(const std::string& path, std::string_view bytes, unsigned mode = 0644);

// Errors: not_found, io, corrupt over the limit.
Result<std::string> read_file(const std::string& path, std::size_t limit_bytes = std::size_t{1} << 30);

// Removes `<ref>.lock`, which a process leaves behind when it is killed while it moves a git ref; a living process
// holds it for milliseconds. False if the lock may belong to a living process; true if there is none (any more).
bool remove_stale_lock(const std::string& path);

// Everything written so far to the file system that holds `path` survives a power cut once this returns. Errors: io.
Result<void> sync_filesystem(const std::string& path);

// Does the file system of this folder know POSIX locks, on which SQLite rests? Some network file systems do not. True
// where that cannot be found out. Asks once and waits for nothing.
bool has_posix_locks(const std::string& folder);

// An exclusive lock on a file, held until destruction; the kernel frees it when the process dies. The holder writes its
// pid, command and start time into the file; the message of `busy` quotes them. A link is no lock. Errors: busy, io.
class FileLock {
public:
    static Result<FileLock> acquire(const std::string& path, const std::string& holder, double wait_s);
    // Does anyone hold it now? Leaves it as it is; a lock asked for at this very moment needs a little patience.
    static bool is_held(const std::string& path);
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&&) = delete;
    ~FileLock();

private:
    explicit FileLock(int fd) : fd_(fd) {}
    int fd_ = -1;
};

}  // namespace cultivar
