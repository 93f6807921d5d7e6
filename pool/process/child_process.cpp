#include "pool/process/child_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pool/process/environment.h"
#include "pool/process/uninterrupted.h"
#include "pool/util/file.h"
#include "pool/util/log.h"

namespace cultivar {
namespace {

constexpr int kFirstOtherDescriptor = 3;

// Both ends are closed with it; release() takes one out.
struct Pipe {
    int ends[2] = {-1, -1};
    bool good = false;

    enum class Kind { pipe, sockets };

    explicit Pipe(Kind kind = Kind::pipe)
        : good((kind == Kind::pipe ? ::pipe2(ends, O_CLOEXEC)
                                   : ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) == 0) {}
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

// The sanitizers map terabytes for themselves.
#if defined(CULTIVAR_SANITIZED)
constexpr bool kMemoryCanBeLimited = false;
#else
constexpr bool kMemoryCanBeLimited = true;
#endif

void take_limits(const ChildLimits& limits) {
    auto limit = [](auto resource, std::int64_t most, std::int64_t beyond = 0) {
        struct rlimit now {};
        if (most <= 0 || ::getrlimit(resource, &now) != 0) return;
        now.rlim_max = std::min(now.rlim_max, static_cast<rlim_t>(most + beyond));
        now.rlim_cur = std::min(now.rlim_max, static_cast<rlim_t>(most));
        ::setrlimit(resource, &now);
    };
    if (kMemoryCanBeLimited) limit(RLIMIT_DATA, limits.memory_bytes);
    limit(RLIMIT_FSIZE, limits.file_bytes);
    limit(RLIMIT_CPU, limits.processor_s, 5);  // SIGXCPU, then SIGKILL
    const struct rlimit none {};
    ::setrlimit(RLIMIT_CORE, &none);
}

// At its beginning; -1: it cannot be made.
int file_in_memory(const std::string& text) {
    const int file = ::memfd_create("input", MFD_CLOEXEC);
    if (file < 0 || (write_all(file, text) && ::lseek(file, 0, SEEK_SET) == 0)) return file;
    ::close(file);
    return -1;
}

struct Wiring {
    pid_t parent;
    int input;
    Pipe output, error_output, trouble, start;
    Pipe reports{Pipe::Kind::sockets};  // a pipe cannot pass a descriptor on

    explicit Wiring(const std::string& text = "")
        : parent(::getpid()), input(text.empty() ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : file_in_memory(text)) {}
    Wiring(const Wiring&) = delete;
    Wiring& operator=(const Wiring&) = delete;
    ~Wiring() { Pipe::close(input); }
    bool good() const {
        return input >= 0 && output.good && error_output.good && trouble.good && start.good && reports.good;
    }
};

bool settle(const Wiring& wiring, const ChildLimits& limits) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != wiring.parent) ::_exit(127);
    reset_signals();
    take_limits(limits);
    return ::dup2(wiring.input, STDIN_FILENO) >= 0 && ::dup2(wiring.output.writer(), STDOUT_FILENO) >= 0 &&
           ::dup2(wiring.error_output.writer(), STDERR_FILENO) >= 0;
}

// Waits for let_begin(); ends if the parent has ended.
void wait_to_begin(Wiring& wiring) {
    wiring.start.close_writer();
    char byte = 0;
    const ssize_t got = uninterrupted([&] { return ::read(wiring.start.reader(), &byte, 1); });
    if (got != 1) ::_exit(127);
}

void let_begin(const Wiring& wiring) { [[maybe_unused]] const ssize_t told = ::write(wiring.start.writer(), "s", 1); }

// One byte, with the descriptor if there is one.
struct Message {
    char byte = 0;
    iovec piece{&byte, 1};
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
    msghdr header{};

    explicit Message(bool with_room) {
        header.msg_iov = &piece;
        header.msg_iovlen = 1;
        if (!with_room) return;
        header.msg_control = room;
        header.msg_controllen = sizeof room;
    }
    Message(const Message&) = delete;
};

void send_descriptor(int to, int descriptor) {
    Message message(descriptor >= 0);
    if (descriptor >= 0) {
        cmsghdr* part = CMSG_FIRSTHDR(&message.header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
    }
    ::sendmsg(to, &message.header, MSG_NOSIGNAL);
    if (descriptor >= 0) ::close(descriptor);
}

// 0, or errno.
int enter(const Sandbox& sandbox, const Wiring& wiring) {
    int listener = -1;
    const int reason = sandbox.enter(listener);
    send_descriptor(wiring.reports.writer(), listener);
    return reason;
}

// The child's program, prepared before the fork.
struct Program {
    char* const* argv;
    char* const* environment;
    const char* folder;  // null: as it is
};

[[noreturn]] void become(const Program& program, int nice, Wiring& wiring, const ChildLimits& limits,
                         const Sandbox* sandbox) {
    int reason = settle(wiring, limits) ? 0 : errno;
    wait_to_begin(wiring);
    if (reason == 0 && program.folder && ::chdir(program.folder) != 0) reason = errno;
    if (nice != 0) ::setpriority(PRIO_PROCESS, 0, nice);
    keep_descriptors_in();
    if (reason == 0 && sandbox) reason = enter(*sandbox, wiring);
    if (reason == 0 && sandbox) {
        reason = sandbox->become(program.argv);
    } else if (reason == 0) {
        ::execvpe(program.argv[0], program.argv, program.environment);
        reason = errno;
    }
    [[maybe_unused]] const ssize_t told = ::write(wiring.trouble.writer(), &reason, sizeof reason);
    ::_exit(127);
}

// --- In the parent
// ------------------------------------------------------------------------------------------------------

// Receives the descriptor that enter() sent; -1 if it sent none or has ended.
int receive_descriptor(int from) {
    Message message(true);
    const ssize_t got = uninterrupted([&] { return ::recvmsg(from, &message.header, MSG_CMSG_CLOEXEC); });
    const cmsghdr* part = got == 1 ? CMSG_FIRSTHDR(&message.header) : nullptr;
    int descriptor = -1;
    if (part && part->cmsg_type == SCM_RIGHTS) std::memcpy(&descriptor, CMSG_DATA(part), sizeof descriptor);
    if (descriptor >= 0) wake_together(descriptor);
    return descriptor;
}

Error cannot_start(const std::string& program, int reason) {
    return {
        reason == ENOENT ? Code::not_found : Code::io, "cannot start '" + program + "': " + std::strerror(reason), {}};
}

// Ended by a null; the words must outlive it.
std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

std::vector<char*> environment_with(const std::vector<std::string>& variables) {
    std::vector<char*> all = pointers(variables);
    all.pop_back();
    for (char** at = environ; *at; ++at) {
        if (!has_name_of(variables, *at)) all.push_back(*at);
    }
    all.push_back(nullptr);
    return all;
}

// A git command, which env may start, with its arguments; of another program the name: its arguments may be secrets.
std::string name_for_log(const std::vector<std::string>& argv) {
    const auto git = std::find(argv.begin(), argv.end(), "git");
    const bool is_git = git == argv.begin() || (argv[0] == "env" && git != argv.end());
    return is_git ? fmt::format("{}", fmt::join(git, argv.end(), " ")) : argv[0];
}

}  // namespace

void limit_this_process(const ChildLimits& limits) { take_limits(limits); }

Result<Child> Child::start(const std::vector<std::string>& argv, int nice, const ChildLimits& limits,
                           const Sandbox* sandbox, const ChildPlace& place) {
    if (argv.empty()) return fail(Code::usage, "cannot start a trainer: its command is empty");
    std::vector<char*> words = pointers(argv), environment = environment_with(place.variables);
    const Program program{words.data(), environment.data(), place.folder.empty() ? nullptr : place.folder.c_str()};

    Wiring wiring(place.input);
    if (!wiring.good()) return fail(cannot_start(argv[0], errno));
    keep_children_waitable();
    Child child;
    child.pid_ = ::fork();
    if (child.pid_ == 0) become(program, nice, wiring, limits, sandbox);
    if (child.pid_ < 0) return fail(cannot_start(argv[0], errno));
    ::setpgid(child.pid_, child.pid_);  // whoever comes first
    wiring.trouble
        .close_writer();  // else the keeper holds it open for a while, and calls of the program pass for early
    if (place.group_ends_within_s) {
        // The child gets SIGTERM then, which it may pass over, and its descendants get nothing.
        TRY_ASSIGN(Keeper keeper, Keeper::start([group = child.pid_, grace_s = *place.group_ends_within_s] {
                       end_group(group, grace_s);
                   }));
        child.keeper_.emplace(std::move(keeper));
    }
    let_begin(wiring);
    wiring.reports.close_writer();
    if (sandbox) child.reports_ = receive_descriptor(wiring.reports.reader());
    if (sandbox) child.rules_ = sandbox->rules();
    if (const int reason = child.exec_trouble(wiring.trouble.reader())) return fail(cannot_start(argv[0], reason));
    child.name_ = name_for_log(argv);
    log_trace("process {}: {}", child.pid_, child.name_);
    child.listen(wiring.output.release_reader(), wiring.error_output.release_reader());
    return child;
}

Result<Child> Child::copy(const std::function<int()>& body, const ChildLimits& limits, const Sandbox* sandbox) {
    Wiring wiring;
    if (!wiring.good()) return fail(cannot_start("a copy of this process", errno));
    keep_children_waitable();
    Child child;
    child.pid_ = ::fork();
    if (child.pid_ == 0) {
        close_log();
        const bool settled = settle(wiring, limits) && (!sandbox || enter(*sandbox, wiring) == 0);
        ::_exit(settled ? body() : 127);
    }
    if (child.pid_ < 0) return fail(cannot_start("a copy of this process", errno));
    child.name_ = "a copy of this process";
    ::setpgid(child.pid_, child.pid_);
    wiring.reports.close_writer();
    if (sandbox) child.reports_ = receive_descriptor(wiring.reports.reader());
    child.listen(wiring.output.release_reader(), wiring.error_output.release_reader());
    return child;
}

// The errno that kept the child from its program; 0 if it got there. A watched child reports its start too, and waits for
// the answer.
int Child::exec_trouble(int trouble) const {
    int reason = 0;
    for (;;) {
        pollfd streams[] = {{trouble, POLLIN, 0}, {reports_, POLLIN, 0}};
        if (::poll(streams, 2, -1) < 0 && errno != EINTR) return errno;
        if (streams[0].revents != 0) break;
        if (streams[1].revents != 0) attempt();
    }
    const ssize_t got = uninterrupted([&] { return ::read(trouble, &reason, sizeof reason); });
    return got == sizeof reason ? reason : 0;
}

void Child::listen(int output, int error_output) {
    started_ = std::chrono::steady_clock::now();
    output_ = output;
    error_output_ = error_output;
    ::fcntl(output_, F_SETFL, O_NONBLOCK);
    ::fcntl(error_output_, F_SETFL, O_NONBLOCK);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      name_(std::move(other.name_)),
      started_(other.started_),
      rules_(std::move(other.rules_)),
      keeper_(std::move(other.keeper_)),
      output_(std::exchange(other.output_, -1)),
      error_output_(std::exchange(other.error_output_, -1)),
      reports_(std::exchange(other.reports_, -1)) {}

Child::~Child() {
    if (pid_ > 0) reap();
    Pipe::close(output_);
    Pipe::close(error_output_);
    Pipe::close(reports_);
}

bool Child::has_ended() const {
    siginfo_t facts{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &facts, WEXITED | WNOHANG | WNOWAIT) == 0 && facts.si_pid == pid_;
}

void Child::signal_group(int signal) const { ::kill(-pid_, signal); }

Child::End Child::reap() {
    signal_group(SIGKILL);  // before the wait: until then the group's number cannot belong to anyone else
    ::kill(pid_, SIGKILL);  // it may have left its group
    if (keeper_) keeper_->call_off();
    int status = 0;
    struct rusage usage {};
    uninterrupted([&] { return ::wait4(pid_, &status, 0, &usage); });
    pid_ = -1;
    End end;
    if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    end.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    end.peak_rss_bytes = std::int64_t{usage.ru_maxrss} * 1024;
    const std::chrono::duration<double> lived = std::chrono::steady_clock::now() - started_;
    if (!name_.empty())
        log_debug("{}: {} {} after {:.3f} s", name_, end.signal != 0 ? "ended by signal" : "exit code",
                  end.signal != 0 ? end.signal : end.exit_code, lived.count());
    return end;
}

}  // namespace cultivar
