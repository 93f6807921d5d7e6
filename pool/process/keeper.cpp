#include "pool/process/keeper.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "pool/process/stop_signals.h"
#include "pool/process/uninterrupted.h"

namespace cultivar {
namespace {

void close_range_of(unsigned first, unsigned last) {
    if (first > last || ::close_range(first, last, 0) == 0) return;
    for (unsigned descriptor = first; descriptor <= std::min(last, 65535U); ++descriptor)
        ::close(static_cast<int>(descriptor));
}

void close_all_but_input_and(int kept) {
    if (kept <= 0) return close_range_of(1, ~0U);
    close_range_of(1, static_cast<unsigned>(kept) - 1);
    close_range_of(static_cast<unsigned>(kept) + 1, ~0U);
}

[[noreturn]] void keep(int pipe, const std::function<void()>& duty, int kept) {
    ::setsid();
    for (const int signal : kStopSignals) ::signal(signal, SIG_IGN);
    for (const int signal : {SIGPIPE, SIGQUIT}) ::signal(signal, SIG_IGN);
    if (kept == STDIN_FILENO) ::_exit(1);  // its caller has no standard input: nothing can be kept for it
    if (pipe != STDIN_FILENO) ::dup2(pipe, STDIN_FILENO);
    close_all_but_input_and(kept);  // else it would hold pipes of the caller's open, and the writing end of its own
    char byte = 0;
    const ssize_t got = uninterrupted([&] { return ::read(STDIN_FILENO, &byte, 1); });
    if (got != 1) duty();
    ::_exit(0);
}

}  // namespace

Result<Keeper> Keeper::start(const std::function<void()>& duty, int kept) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0)
        return fail(Code::io, fmt::format("cannot start a keeper: {}", std::strerror(errno)));
    const pid_t process = ::fork();
    if (process == 0) keep(pipe[0], duty, kept);
    const int saved = errno;
    ::close(pipe[0]);
    if (process > 0) return Keeper(pipe[1], process);
    ::close(pipe[1]);
    return fail(Code::io, fmt::format("cannot start a keeper: {}", std::strerror(saved)));
}

Keeper::Keeper(Keeper&& other) noexcept
    : pipe_(std::exchange(other.pipe_, -1)), process_(std::exchange(other.process_, -1)) {}

void Keeper::call_off() {
    if (process_ < 0) return;
    [[maybe_unused]] const ssize_t told = ::write(pipe_, "o", 1);
    wait();
}

void Keeper::do_it_now() {
    if (process_ >= 0) wait();
}

void Keeper::wait() {
    ::close(std::exchange(pipe_, -1));
    uninterrupted([&] { return ::waitpid(process_, nullptr, 0); });
    process_ = -1;
}

void end_group(int leader, double grace_s) {
    const int ended = static_cast<int>(::syscall(SYS_pidfd_open, leader, 0U));
    pollfd wait{ended, POLLIN, 0};
    if (ended >= 0) ::poll(&wait, 1, static_cast<int>(grace_s * 1000));
    ::kill(-leader, SIGKILL);
}

}  // namespace cultivar
