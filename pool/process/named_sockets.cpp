#include "pool/process/named_sockets.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <optional>

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pool/process/child_memory.h"

namespace cultivar {
namespace {

constexpr int kOctal = 8;

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(&address.sun_path[0], sizeof address.sun_path - 1);
    return address;
}

// The file that a connect() names; none if it names none, or the child has ended.
std::optional<std::filesystem::path> named_file(const seccomp_notif& report) {
    sockaddr_un address{};
    constexpr std::size_t kBefore = offsetof(sockaddr_un, sun_path);
    const std::size_t bytes = std::min<std::size_t>(report.data.args[2], sizeof address);
    if (bytes <= kBefore || !read_memory(report.pid, report.data.args[1], &address, bytes)) return std::nullopt;
    const std::string name(&address.sun_path[0], ::strnlen(&address.sun_path[0], bytes - kBefore));
    if (address.sun_family != AF_UNIX || name.empty()) return std::nullopt;
    return path_in(report.pid, name);
}

// The flags of a child's socket; none if the descriptor is no socket.
std::optional<int> socket_flags(const seccomp_notif& report) {
    const auto descriptor = static_cast<int>(report.data.args[0]);
    std::error_code ec;
    const auto is = std::filesystem::read_symlink(fmt::format("/proc/{}/fd/{}", report.pid, descriptor), ec).string();
    std::ifstream facts(fmt::format("/proc/{}/fdinfo/{}", report.pid, descriptor));
    if (ec || !is.starts_with("socket:")) return std::nullopt;
    for (std::string word; facts >> word;) {
        if (word == "flags:" && facts >> word) return static_cast<int>(std::strtol(word.c_str(), nullptr, kOctal));
    }
    return std::nullopt;
}

// A socket that is connected to this one, or less than 0: minus the reason. The child can change no flag of it before, so
// that nobody waits here.
int connected_to(int file) {
    const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0) return -errno;
    const sockaddr_un address = address_of(fmt::format("/proc/self/fd/{}", file));
    if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return made;
    const int reason = errno;
    ::close(made);
    return -reason;
}

int hand_over(const seccomp_notif& report, int listener, int made, int flags) {
    if ((flags & O_NONBLOCK) == 0 && ::fcntl(made, F_SETFL, 0) != 0) return errno;
    seccomp_notif_addfd place{};
    place.id = report.id;
    place.flags = SECCOMP_ADDFD_FLAG_SETFD;
    place.srcfd = static_cast<__u32>(made);
    place.newfd = static_cast<__u32>(report.data.args[0]);
    place.newfd_flags = static_cast<__u32>(flags & O_CLOEXEC);
    return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &place) < 0 ? errno : 0;
}

}  // namespace

bool enter_own_network() { return ::unshare(CLONE_NEWNET) == 0; }

int connect_within(const seccomp_notif& report, const std::vector<std::string>& folders,
                   bool (*still_valid)(int, __u64), int listener) {
    const auto path = named_file(report);
    const auto flags = socket_flags(report);
    if (!path) return EACCES;
    if (!flags) return ENOTSOCK;
    if (!still_valid(listener, report.id)) return ESRCH;  // else the bytes may be another process's
    return act_beneath(folders, *path, EACCES, [&](int file) {
        const int made = connected_to(file);
        if (made < 0) return -made;
        const int reason = hand_over(report, listener, made, *flags);
        ::close(made);
        return reason;
    });
}

}  // namespace cultivar
