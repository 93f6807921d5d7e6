#include "pool/process/watched_calls.h"

#include <algorithm>
#include <filesystem>

#include <fcntl.h>
#include <sys/syscall.h>

#include <fmt/format.h>

#include "pool/process/child_memory.h"
#include "pool/process/private_memory.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;
using Kind = Attempt::Kind;

// Where a call keeps its path.
struct Call {
    int number;
    int folder, path;  // arguments; folder -1: none
    int flags;         // argument with the flags of open(); -1: none
    Kind kind;
};

const std::vector<Call>& calls() {
    static const std::vector<Call> all = {
        {SYS_openat, 0, 1, 2, Kind::read},     {SYS_mkdirat, 0, 1, -1, Kind::write},
        {SYS_unlinkat, 0, 1, -1, Kind::write}, {SYS_renameat2, 2, 3, -1, Kind::write},
        {SYS_linkat, 2, 3, -1, Kind::write},   {SYS_symlinkat, 1, 2, -1, Kind::write},
        {SYS_mknodat, 0, 1, -1, Kind::write},  {SYS_truncate, -1, 0, -1, Kind::write},
        {SYS_execve, -1, 0, -1, Kind::start},
#ifdef SYS_open
        {SYS_open, -1, 0, 1, Kind::read},      {SYS_creat, -1, 0, -1, Kind::write},
        {SYS_mkdir, -1, 0, -1, Kind::write},   {SYS_rmdir, -1, 0, -1, Kind::write},
        {SYS_unlink, -1, 0, -1, Kind::write},  {SYS_rename, -1, 1, -1, Kind::write},
        {SYS_link, -1, 1, -1, Kind::write},    {SYS_symlink, -1, 1, -1, Kind::write},
        {SYS_mknod, -1, 0, -1, Kind::write},
#endif
#ifdef SYS_renameat
        {SYS_renameat, 2, 3, -1, Kind::write},
#endif
    };
    return all;
}

const Call* call_of(int number) {
    const auto found = std::ranges::find(calls(), number, &Call::number);
    return found == calls().end() ? nullptr : &*found;
}

// Its own entry in /proc is open to each process, and so is a /dev/shm of its own.
bool is_its_own(const fs::path& path, __u32 process) {
    const std::string text = path.string();
    if (text.starts_with(kSharedMemory)) return private_memory_bytes(fmt::format("/proc/{}", process)).has_value();
    return text.starts_with("/proc/self") || text.starts_with("/proc/thread-self") ||
           text.starts_with(fmt::format("/proc/{}/", process));
}

bool is_of_a_process(const fs::path& path) {
    const std::string text = path.string();
    return text.starts_with("/proc/") && text.size() > 6 && text[6] >= '0' && text[6] <= '9';
}

bool writes(const Call& call, const seccomp_data& data) {
    if (call.kind == Kind::write) return true;
    const auto flags = call.flags < 0 ? 0 : data.args[call.flags];
    return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
}

}  // namespace

std::vector<int> watched_calls() {
    std::vector<int> numbers;
    for (const Call& call : calls()) numbers.push_back(call.number);
    return numbers;
}

bool lies_in(const fs::path& path, const std::vector<std::string>& folders) {
    std::error_code ec;
    const fs::path real = fs::weakly_canonical(path, ec);
    return std::ranges::any_of(folders, [&](const std::string& folder) {
        const fs::path base = fs::canonical(folder, ec);
        if (ec) return false;
        const fs::path below = real.lexically_relative(base);
        return !below.empty() && *below.begin() != "..";
    });
}

bool is_watched_call(int system_call) { return call_of(system_call) != nullptr; }

std::optional<Attempt> refused_file(const SandboxRules& rules, const seccomp_notif& report) {
    const Call* call = call_of(report.data.nr);
    if (!call || (call->flags >= 0 && (report.data.args[call->flags] & O_PATH) != 0)) return std::nullopt;
    const int folder = call->folder < 0 ? AT_FDCWD : static_cast<int>(report.data.args[call->folder]);
    const auto named = path_of_call(report.pid, folder, report.data.args[call->path]);
    if (!named || is_its_own(*named, report.pid)) return std::nullopt;
    std::error_code ec;
    if (is_of_a_process(*named)) return Attempt{Kind::look, "", 0};
    const bool write = writes(*call, report.data);
    const bool there = fs::exists(*named, ec), has_folder = fs::exists(named->parent_path(), ec);
    if (!there && !(write && has_folder)) return std::nullopt;
    if (lies_in(*named, rules.write) || (!write && lies_in(*named, rules.read))) return std::nullopt;
    return Attempt{write ? Kind::write : call->kind, named->string(), 0};
}

}  // namespace cultivar
