#include "pool/child.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cultivar {
namespace {

constexpr int kFirstOtherDescriptor = 3;

// Both ends are closed with it; release() takes one out.
struct Pipe {
    int ends[2] = {-1, -1};
    bool good = false;

    Pipe() : good(::pipe2(ends, O_CLOEXEC) == 0) {}
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        for (int& end : ends) close(end);
    }
    static void close(int& end) {
        if (end >= 0) ::close(end);
        end = -1;
    }
    int reader() const { return ends[0]; }
    int writer() const { return ends[1]; }
    void close_writer() { close(ends[1]); }
    int release_reader() { return std::exchange(ends[0], -1); }
};

// Where SIGCHLD is ignored, as some parents leave it, the system would throw the child's accounts away.
void keep_children_waitable() {
    struct sigaction now {};
    if (::sigaction(SIGCHLD, nullptr, &now) != 0 || now.sa_handler != SIG_IGN) return;
    now.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &now, nullptr);
}

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

// --- In the child, between fork and exec: only async-signal-safe calls
// ------------------------------------------------

void reset_signals() {
    struct sigaction plain {};
    plain.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &plain, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void keep_descriptors_in() {
    if (::close_range(kFirstOtherDescriptor, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
    const long limit = std::min(::sysconf(_SC_OPEN_MAX), 65536L);
    for (int descriptor = kFirstOtherDescriptor; descriptor < limit; ++descriptor) {
        ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    }
}

[[noreturn]] void become(char* const* argv, int nice, pid_t parent, int input, const Pipe& output,
                         const Pipe& error_output, const Pipe& trouble) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);
    reset_signals();
    if (nice != 0) ::setpriority(PRIO_PROCESS, 0, nice);
    const bool wired = ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(output.writer(), STDOUT_FILENO) >= 0 &&
                       ::dup2(error_output.writer(), STDERR_FILENO) >= 0;
    keep_descriptors_in();
    if (wired) ::execvp(argv[0], argv);
    const int reason = errno;
    [[maybe_unused]] const ssize_t told = ::write(trouble.writer(), &reason, sizeof reason);
    ::_exit(127);
}

// --- In the parent
// ------------------------------------------------------------------------------------------------------

// The errno that kept the child from its program; 0 if it got there.
int exec_trouble(Pipe& trouble) {
    trouble.close_writer();
    int reason = 0;
    ssize_t got = 0;
    do {
        got = ::read(trouble.reader(), &reason, sizeof reason);
    } while (got < 0 && errno == EINTR);
    return got == sizeof reason ? reason : 0;
}

Error cannot_start(const std::string& program, int reason) {
    return {
        reason == ENOENT ? Code::not_found : Code::io, "cannot start '" + program + "': " + std::strerror(reason), {}};
}

}  // namespace

Result<Child> Child::start(const std::vector<std::string>& argv, int nice) {
    if (argv.empty()) return fail(Code::usage, "cannot start a trainer: its command is empty");
    std::vector<char*> words;
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);

    Pipe output, error_output, trouble;
    if (!output.good || !error_output.good || !trouble.good) return fail(cannot_start(argv[0], errno));
    int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0) return fail(cannot_start(argv[0], errno));
    keep_children_waitable();
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) become(words.data(), nice, parent, input, output, error_output, trouble);
    const int fork_reason = errno;
    Pipe::close(input);
    if (pid < 0) return fail(cannot_start(argv[0], fork_reason));

    ::setpgid(pid, pid);  // whoever comes first
    Child child;
    child.pid_ = pid;
    if (const int reason = exec_trouble(trouble)) return fail(cannot_start(argv[0], reason));
    child.output_ = output.release_reader();
    child.error_output_ = error_output.release_reader();
    ::fcntl(child.output_, F_SETFL, O_NONBLOCK);
    ::fcntl(child.error_output_, F_SETFL, O_NONBLOCK);
    return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::exchange(other.output_, -1)),
      error_output_(std::exchange(other.error_output_, -1)) {}

Child::~Child() {
    if (pid_ > 0) reap();
    Pipe::close(output_);
    Pipe::close(error_output_);
}

bool Child::has_ended() const {
    siginfo_t facts{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &facts, WEXITED | WNOHANG | WNOWAIT) == 0 && facts.si_pid == pid_;
}

void Child::signal_group(int signal) const { ::kill(-pid_, signal); }

Child::End Child::reap() {
    signal_group(SIGKILL);  // before the wait: until then the group's number cannot belong to anyone else
    int status = 0;
    struct rusage usage {};
    pid_t got = 0;
    do {
        got = ::wait4(pid_, &status, 0, &usage);
    } while (got < 0 && errno == EINTR);
    pid_ = -1;
    End end;
    if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    end.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    end.peak_rss_bytes = std::int64_t{usage.ru_maxrss} * 1024;
    return end;
}

}  // namespace cultivar
