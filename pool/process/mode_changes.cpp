#include "pool/process/mode_changes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pool/process/child_memory.h"

namespace cultivar {
namespace {

constexpr unsigned kModes = 0777;

struct Owner {
    uid_t user;
    gid_t group;
};

// A call in the child's own terms: a path from a folder, or a descriptor.
struct Request {
    int folder = AT_FDCWD;  // the child's
    __u64 path = 0;         // address in the child; 0: the file is the descriptor itself
    std::optional<unsigned> mode;
    std::optional<Owner> owner;
    __u64 times = 0;       // address of two timespecs; 0: now
    bool of_link = false;  // of times: those of a link itself
};

std::optional<Request> request_of(const seccomp_data& call) {
    const auto descriptor = static_cast<int>(call.args[0]);
    const auto mode = [&](int at) { return static_cast<unsigned>(call.args[at]); };
    const auto owner = [&](int at) {
        return Owner{static_cast<uid_t>(call.args[at]), static_cast<gid_t>(call.args[at + 1])};
    };
    switch (call.nr) {
#ifdef SYS_chmod
        case SYS_chmod:
            return Request{.path = call.args[0], .mode = mode(1), .owner = {}};
        case SYS_chown:
        case SYS_lchown:
            return Request{.path = call.args[0], .mode = {}, .owner = owner(1)};
#endif
        case SYS_fchmod:
            return Request{.folder = descriptor, .mode = mode(1), .owner = {}};
        case SYS_fchmodat:
        case kFchmodat2:
            return Request{.folder = descriptor, .path = call.args[1], .mode = mode(2), .owner = {}};
        case SYS_fchown:
            return Request{.folder = descriptor, .mode = {}, .owner = owner(1)};
        case SYS_fchownat:
            return Request{.folder = descriptor, .path = call.args[1], .mode = {}, .owner = owner(2)};
        case SYS_utimensat:
            return Request{.folder = descriptor,
                           .path = call.args[1],
                           .mode = {},
                           .owner = {},
                           .times = call.args[2],
                           .of_link = (call.args[3] & AT_SYMLINK_NOFOLLOW) != 0};
        default:
            return std::nullopt;
    }
}

bool is_owned_so(const struct stat& facts, const Owner& owner) {
    return (owner.user == facts.st_uid || owner.user == static_cast<uid_t>(-1)) &&
           (owner.group == facts.st_gid || owner.group == static_cast<gid_t>(-1));
}

int change(int file, const Request& request, const std::array<timespec, 2>& times) {
    struct stat facts {};
    if (::fstat(file, &facts) != 0) return errno;
    if (request.owner) return is_owned_so(facts, *request.owner) ? 0 : EPERM;
    const bool is_link = S_ISLNK(facts.st_mode) && request.of_link;
    if (!S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode) && !is_link) return EPERM;
    const std::string path = fmt::format("/proc/self/fd/{}", file);
    if (request.mode) return ::chmod(path.c_str(), *request.mode & kModes) == 0 ? 0 : errno;
    return ::utimensat(AT_FDCWD, path.c_str(), request.times ? times.data() : nullptr, 0) == 0 ? 0 : errno;
}

}  // namespace

std::vector<int> mode_calls() {
    std::vector<int> calls = {SYS_fchmod, SYS_fchmodat, kFchmodat2, SYS_fchown, SYS_fchownat, SYS_utimensat};
#ifdef SYS_chmod
    calls.insert(calls.end(), {SYS_chmod, SYS_chown, SYS_lchown});
#endif
    return calls;
}

bool is_mode_call(int system_call) { return std::ranges::count(mode_calls(), system_call) > 0; }

int change_mode(const seccomp_notif& report, const std::vector<std::string>& folders, bool (*still_valid)(int, __u64),
                int listener) {
    const auto request = request_of(report.data);
    if (!request || folders.empty()) return EPERM;
    std::array<timespec, 2> times{};
    if (request->times && !read_memory(report.pid, request->times, times.data(), sizeof times)) return EFAULT;
    const auto path = path_of_call(report.pid, request->folder, request->path);
    if (!path) return EFAULT;
    if (!still_valid(listener, report.id)) return ESRCH;  // else the bytes may be another process's
    return act_beneath(folders, *path, EPERM, [&](int file) { return change(file, *request, times); });
}

}  // namespace cultivar
