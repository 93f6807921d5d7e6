#include "pool/clone/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "pool/storage/segment_log.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr double kLockWait_s = 30;

std::string spool_path(const Clone& clone) { return clone.state_dir + "spool.jsonl"; }

// A record of a later format is none of this program's concern, but whole.
bool is_damaged(const std::string& line, const std::function<bool(const Record&)>& contradicts) {
    const auto record = parse_line(line);
    return record ? contradicts && contradicts(*record) : record.error().code != Code::newer;
}

Result<FileLock> lock_spool(const Clone& clone) {
    return FileLock::acquire(clone.state_dir + "spool.lock", fmt::format("pid {}", ::getpid()), kLockWait_s);
}

// The spool's text up to its last line feed.
Result<std::string> whole_lines(const Clone& clone) {
    auto text = read_file(spool_path(clone));
    if (!text) return text.error().code == Code::not_found ? Result<std::string>("") : text;
    text->resize(text->rfind('\n') + 1);
    return text;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
        lines.push_back(text.substr(begin, end - begin));
    return lines;
}

// Inode and birth of an open file, because numbers are given out again; "": the file system does not know the birth.
std::string file_name(int fd) {
    struct statx facts {};
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &facts) != 0 || !(facts.stx_mask & STATX_BTIME))
        return "";
    return fmt::format("{} {}.{:09}", facts.stx_ino, facts.stx_btime.tv_sec, facts.stx_btime.tv_nsec);
}

Result<std::string> read_from(int fd, std::int64_t from) {
    std::string bytes;
    char buffer[1 << 16];
    for (;;) {
        const ssize_t got = ::pread(fd, buffer, sizeof buffer, from + static_cast<std::int64_t>(bytes.size()));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(Code::io, fmt::format("cannot read the spool: {}", std::strerror(errno)));
        if (got == 0) return bytes;
        bytes.append(buffer, static_cast<std::size_t>(got));
    }
}

// The size of the spool's whole lines; a killed process or a full disk may leave half a line after them.
Result<off_t> whole_lines_size(const Clone& clone, int spool) {
    struct stat now {};
    char last = 0;
    if (::fstat(spool, &now) != 0) return fail(Code::io, fmt::format("cannot look at '{}'", spool_path(clone)));
    if (now.st_size == 0 || (::pread(spool, &last, 1, now.st_size - 1) == 1 && last == '\n')) return now.st_size;
    TRY_ASSIGN(const std::string text, whole_lines(clone));
    return static_cast<off_t>(text.size());
}

// If a clone's name or key changed in between, it must not sign records of the old one: nobody would accept them.
Result<void> check_writer(const Clone& clone, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        auto record = parse_line(line);
        if (!record) continue;
        const std::string writer = std::visit([](const auto& one) { return one.writer; }, *record);
        if (writer == clone.writer) continue;
        const std::size_t first = writer.find('.'), last = writer.rfind('.');
        const bool same_key = writer.substr(last + 1) == clone.key.fingerprint().substr(0, 8) && first < last;
        return fail(Code::usage,
                    fmt::format("records wait here that were made as '{}', and this clone is '{}' now: put its {} back "
                                "to send them",
                                writer, clone.writer, same_key ? "name" : "key"),
                    same_key ? fmt::format("git config cultivar.name {} && git config cultivar.machine {} && cultivar "
                                           "propose",
                                           shell_word(writer.substr(0, first)),
                                           shell_word(writer.substr(first + 1, last - first - 1)))
                             : "");
    }
    return {};
}

// The caller holds the lock.
Result<std::size_t> set_aside(const Clone& clone, const std::function<bool(const Record&)>& contradicts) {
    TRY_ASSIGN(const std::vector<std::string> lines, spooled_lines(clone));
    std::string good, bad;
    std::size_t count = 0;
    for (const std::string& line : lines) {
        const bool damaged = is_damaged(line, contradicts);
        (damaged ? bad : good) += line + "\n";
        count += damaged;
    }
    if (count == 0) return count;
    auto before = read_file(damaged_spool_path(clone));
    if (!before && before.error().code != Code::not_found) return fail(before.error());
    TRY(write_file_atomically(damaged_spool_path(clone), before.value_or("") + bad));
    TRY(write_file_atomically(spool_path(clone), good));
    return count;
}

}  // namespace

std::string damaged_spool_path(const Clone& clone) { return clone.state_dir + "spool.damaged"; }

Result<std::size_t> set_damaged_aside(const Clone& clone, const std::function<bool(const Record&)>& contradicts) {
    TRY_ASSIGN(FileLock lock, lock_spool(clone));
    return set_aside(clone, contradicts);
}

Result<std::string> append_record(const Clone& clone, const Record& record) {
    std::string line = to_line(record);
    if (line.size() > kMaxRecordBytes) return fail(Code::usage, "a record is too long");
    TRY(clone.key.can_sign());  // else nobody would ever read it
    TRY_ASSIGN(FileLock lock, lock_spool(clone));
    std::string path = spool_path(clone);
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) return fail(Code::io, fmt::format("cannot open '{}': {}", path, std::strerror(errno)));
    std::string bytes = line + "\n";
    const auto whole = whole_lines_size(clone, fd);
    if (!whole) return ::close(fd), fail(whole.error());
    const off_t keep = *whole;
    bool good = ::ftruncate(fd, keep) == 0 &&
                ::pwrite(fd, bytes.data(), bytes.size(), keep) == static_cast<ssize_t>(bytes.size()) &&
                ::fsync(fd) == 0;
    int saved = errno;
    if (!good && ::ftruncate(fd, keep) != 0) saved = errno;
    ::close(fd);
    if (!good) return fail(Code::io, fmt::format("cannot write '{}': {}", path, std::strerror(saved)));
    return record_id(line);
}

Result<std::vector<std::string>> spooled_lines(const Clone& clone) {
    TRY_ASSIGN(const std::string text, whole_lines(clone));
    return lines_of(text);
}

Result<SpoolTail> spooled_since(const Clone& clone, const std::string& mark) {
    SpoolTail tail;
    const int fd = ::open(spool_path(clone).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return tail;
    if (fd < 0) return fail(Code::io, fmt::format("cannot open '{}': {}", spool_path(clone), std::strerror(errno)));
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(::fdopen(fd, "r"), &std::fclose);
    const std::string name = file_name(fd);
    const std::size_t space = mark.rfind(' ');
    tail.goes_on = !name.empty() && space != std::string::npos && mark.substr(0, space) == name;
    const std::int64_t from = tail.goes_on ? std::stoll(mark.substr(space + 1)) : 0;
    TRY_ASSIGN(std::string text, read_from(fd, from));
    text.resize(text.rfind('\n') + 1);
    tail.lines = lines_of(text);
    if (!name.empty()) tail.mark = fmt::format("{} {}", name, from + static_cast<std::int64_t>(text.size()));
    return tail;
}

Result<void> drop_spooled(const Clone& clone, const std::set<std::string>& lines) {
    TRY_ASSIGN(FileLock lock, lock_spool(clone));
    TRY_ASSIGN(std::vector<std::string> spooled, spooled_lines(clone));
    std::string rest;
    std::size_t dropped = 0;
    for (const std::string& line : spooled) {
        dropped += lines.count(line);
        if (!lines.count(line)) rest += line + "\n";
    }
    return dropped == 0 ? Result<void>() : write_file_atomically(spool_path(clone), rest);
}

Result<std::size_t> commit_spool(Clone& clone, const std::function<Result<void>(const std::string&)>& to_disk) {
    TRY_ASSIGN(FileLock lock, lock_spool(clone));
    TRY(set_aside(clone, {}));
    TRY_ASSIGN(std::vector<std::string> lines, spooled_lines(clone));
    if (lines.empty()) return std::size_t{0};
    TRY(check_writer(clone, lines));
    TRY_ASSIGN(std::optional<Oid> tip, clone.repo.ref(clone.journal_ref()));
    std::set<std::string> known;
    if (tip) {
        // Records that a killed commit left in both places stand at the journal's end.
        TRY_ASSIGN(std::size_t count, log_size(clone.repo, *tip));
        TRY_ASSIGN(std::vector<std::string> there, read_log(clone.repo, *tip, count - std::min(count, lines.size())));
        known.insert(there.begin(), there.end());
    }
    std::erase_if(lines, [&](const std::string& line) { return !known.insert(line).second; });
    if (!lines.empty()) TRY(append_log(clone.repo, clone.journal_ref(), lines, clone.identity(), clone.key));
    // libgit2 does not sync its files: the spool is emptied only once they are on the disk.
    TRY(to_disk(clone.repo.git_dir()));
    TRY(write_file_atomically(spool_path(clone), ""));
    return lines.size();
}

}  // namespace cultivar
