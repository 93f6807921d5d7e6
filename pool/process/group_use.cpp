#include "pool/process/group_use.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "pool/process/private_memory.h"
#include "pool/process/process_list.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostDescriptors = 100'000;  // in one look
constexpr std::int64_t kBlock_bytes = 512;

std::vector<fs::path> processes_of(pid_t group) {
    std::vector<fs::path> found;
    for (const pid_t process : processes_in("/proc")) {
        if (::getpgid(process) == group) found.push_back("/proc/" + std::to_string(process));
    }
    return found;
}

std::int64_t number_after_colon(const std::string& line) {
    return std::strtoll(line.c_str() + line.find(':') + 1, nullptr, 10);
}

// The value of one line of a file such as /proc/PID/status; -1: there is no such line.
std::int64_t value_in(const fs::path& file, const std::string& name) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(name + ":")) return number_after_colon(line);
    }
    return -1;
}

// A thread that still has the process's memory and files: the first one may have ended before the others.
fs::path living_thread_of(const fs::path& process) {
    std::error_code ec;
    for (fs::directory_iterator at(process / "task", ec), end; !ec && at != end; at.increment(ec)) {
        if (value_in(at->path() / "status", "VmSize") >= 0) return at->path();
    }
    return {};
}

// Files in memory lie on a file system of the kernel's own.
dev_t device_of_memory() {
    static const dev_t device = [] {
        struct stat facts {};
        const int file = ::memfd_create("cultivar", MFD_CLOEXEC);
        if (file < 0) return dev_t{};
        ::fstat(file, &facts);
        ::close(file);
        return facts.st_dev;
    }();
    return device;
}

class Count {
public:
    explicit Count(const std::string& folder) {
        std::error_code ec;
        const fs::path real = fs::canonical(folder, ec);
        struct stat facts {};
        if (ec || ::stat(real.c_str(), &facts) != 0) return;
        folder_ = real.string() + "/";
        device_ = facts.st_dev;
    }

    void add(const fs::path& process) {
        const std::int64_t threads = value_in(process / "status", "Threads");
        const fs::path thread = living_thread_of(process);
        use_.threads += std::max<std::int64_t>(threads, 0);
        if (thread.empty()) return;
        use_.memory_bytes += std::max<std::int64_t>(value_in(thread / "status", "RssAnon"), 0) * 1024;
        add_open_files(thread);
        add_mappings(thread / "maps");
    }

    GroupUse finish() {
        for (const auto& [inode, bytes] : open_on_disk_) use_.unlinked_bytes += bytes;
        for (const auto& [inode, bytes] : open_in_memory_) use_.memory_bytes += bytes;
        add_unopened(mapped_on_disk_, open_on_disk_, use_.unlinked_bytes, use_.may_hold_more_disk);
        add_unopened(mapped_in_memory_, open_in_memory_, use_.memory_bytes, use_.may_hold_more_memory);
        return use_;
    }

private:
    using Sizes = std::map<ino_t, std::int64_t>;  // of each file once, however often it is held

    void add_open_files(const fs::path& thread) {
        std::error_code ec;
        fs::directory_iterator at(thread / "fd", ec), end;
        if (ec && ec.value() != ENOENT && ec.value() != ESRCH) may_hold_more();
        for (; !ec && at != end; at.increment(ec)) {
            if (++looked_at_ > kMostDescriptors) return may_hold_more();
            struct stat file {};
            if (::stat(at->path().c_str(), &file) != 0) continue;
            if (S_ISSOCK(file.st_mode) && value_in(thread / "fdinfo" / at->path().filename(), "scm_fds") > 0)
                may_hold_more();
            if (!S_ISREG(file.st_mode) || file.st_nlink != 0) continue;
            const std::int64_t bytes = std::int64_t{file.st_blocks} * kBlock_bytes;
            if (file.st_dev == device_) open_on_disk_[file.st_ino] = bytes;
            if (file.st_dev == device_of_memory()) open_in_memory_[file.st_ino] = bytes;
        }
    }

    // Only the extent of a mapping can be seen, which may be less than its file.
    void add_mappings(const fs::path& maps) {
        std::ifstream lines(maps);
        for (std::string line; std::getline(lines, line);) {
            if (!line.ends_with(" (deleted)")) continue;
            unsigned long long from = 0, to = 0, offset = 0, inode = 0;
            int path_at = 0;
            if (std::sscanf(line.c_str(), "%llx-%llx %*s %llx %*s %llu %n", &from, &to, &offset, &inode, &path_at) != 4)
                continue;
            const std::string path = line.substr(static_cast<std::size_t>(path_at));
            const bool in_memory = path.starts_with("/memfd:") || path.starts_with("/dev/zero ");
            if (!in_memory && (folder_.empty() || !path.starts_with(folder_))) continue;
            std::int64_t& known = (in_memory ? mapped_in_memory_ : mapped_on_disk_)[static_cast<ino_t>(inode)];
            known = std::max(known, static_cast<std::int64_t>(offset + (to - from)));
        }
    }

    static void add_unopened(const Sizes& mapped, const Sizes& open, std::int64_t& sum, bool& may_be_more) {
        for (const auto& [inode, bytes] : mapped) {
            if (open.contains(inode)) continue;
            sum += bytes;
            may_be_more = true;
        }
    }

    void may_hold_more() { use_.may_hold_more_memory = use_.may_hold_more_disk = true; }

    std::string folder_;
    dev_t device_ = 0;
    GroupUse use_;
    Sizes open_on_disk_, open_in_memory_, mapped_on_disk_, mapped_in_memory_;
    std::size_t looked_at_ = 0;
};

}  // namespace

GroupUse use_of_group(pid_t group, const std::string& folder) {
    Count count(folder);
    const std::vector<fs::path> processes = processes_of(group);
    for (const fs::path& process : processes) count.add(process);
    GroupUse use = count.finish();
    if (!processes.empty()) use.memory_bytes += private_memory_bytes(processes.front().string()).value_or(0);
    return use;
}

std::int64_t free_disk_bytes(const std::string& folder) {
    struct statvfs room {};
    return ::statvfs(folder.c_str(), &room) == 0 ? static_cast<std::int64_t>(room.f_bfree * room.f_frsize) : 0;
}

std::int64_t free_memory_bytes() { return std::max<std::int64_t>(value_in("/proc/meminfo", "MemAvailable"), 0) * 1024; }

std::int64_t counted_bytes(std::int64_t seen, bool may_be_more, std::int64_t free_before, std::int64_t free_now) {
    return may_be_more ? std::max(seen, free_before - free_now) : seen;
}

}  // namespace cultivar
