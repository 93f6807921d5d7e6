// A worker taken over by a foreign configuration: it makes the attack in CULTIVAR_ATTACK on CULTIVAR_TARGET and reports
// honestly: a result if the attack succeeded, an error event with the reason if not.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

const std::string target = variable("CULTIVAR_TARGET");

bool read_all(const std::string& path) {
    std::ifstream file(path);
    return !std::string(std::istreambuf_iterator<char>(file), {}).empty();
}

bool write_some(const std::string& path) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    return file >= 0 && ::write(file, "x", 1) == 1;
}

bool spend(int kind) {
    constexpr std::size_t kPiece = 16 << 20;
    for (;;) {
        void* piece = ::mmap(nullptr, kPiece, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
        if (piece == MAP_FAILED) return false;
        std::memset(piece, 1, kPiece);
        ::usleep(50'000);  // the machine is shared
    }
}

bool fill_folder(bool in_one_file) {
    const std::vector<char> piece(1 << 20, 'x');
    for (int i = 0;; ++i) {
        const std::string path = target + "/" + (in_one_file ? "one" : std::to_string(i));
        const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (file < 0 || ::write(file, piece.data(), piece.size()) < 0) return false;
        ::close(file);
    }
}

// In files that no folder names any more; `mapped`: nor any descriptor.
bool fill_unseen(bool mapped) {
    constexpr std::size_t kPiece = 4 << 20;
    const std::vector<char> piece(kPiece, 'x');
    for (int i = 0;; ++i) {
        const std::string path = target + "/" + std::to_string(i);
        const int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
        if (file < 0 || ::unlink(path.c_str()) != 0 || ::write(file, piece.data(), kPiece) < 0) return false;
        if (mapped) {
            if (::mmap(nullptr, kPiece, PROT_READ, MAP_SHARED, file, 0) == MAP_FAILED) return false;
            ::close(file);
        }
        ::usleep(20'000);
    }
}

bool pin(pid_t process) {
    cpu_set_t own, one;
    ::sched_getaffinity(0, sizeof own, &own);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i) {
        if (CPU_ISSET(i, &own)) CPU_SET(i, &one);
    }
    return ::sched_setaffinity(process, sizeof one, &one) == 0;
}

bool starts(pid_t child) {
    if (child == 0) ::_exit(0);
    if (child > 0) ::waitpid(child, nullptr, 0);
    return child > 0;
}

bool begin_again() {
    const int self = ::open("/proc/self/exe", O_PATH);
    char word[] = "hostile";
    char* argv[] = {word, nullptr};
    for (int descriptor : {self, 1000}) {
        ::dup2(self, descriptor);
        ::syscall(SYS_execveat, descriptor, "", argv, argv + 1, AT_EMPTY_PATH);
    }
    return false;
}

const std::map<std::string, std::function<bool()>> attacks = {
    {"nothing", [] { return true; }},
    {"network", [] { return ::socket(AF_INET6, SOCK_STREAM, 0) >= 0; }},
    {"local socket", [] { return ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0; }},
    {"fork", [] { return starts(::fork()); }},
    {"clone", [] { return starts(static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0L))); }},
    {"program", [] { return ::execl("/bin/true", "true", nullptr) == 0; }},
    {"itself", [] { return begin_again(); }},
    {"more descriptors",
     [] {
         const struct rlimit more { 4096, 4096 };
         return ::setrlimit(RLIMIT_NOFILE, &more) == 0;
     }},
    {"signal", [] { return ::kill(::getppid(), 0) == 0; }},
    {"signal by a file",
     [] {
         int pipe[2];
         return ::pipe(pipe) == 0 && ::fcntl(pipe[0], F_SETOWN, ::getppid()) == 0;
     }},
    {"a chosen signal by a file",
     [] {
         int pipe[2];
         return ::pipe(pipe) == 0 && ::fcntl(pipe[0], F_SETSIG, SIGKILL) == 0;
     }},
    {"ptrace", [] { return ::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr) == 0; }},
    {"mount", [] { return ::syscall(SYS_mount, "none", "/tmp", "tmpfs", 0UL, nullptr) == 0; }},
    {"namespace", [] { return ::syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */) == 0; }},
    {"group", [] { return ::setpgid(0, ::getppid()) == 0 || ::setsid() > 0; }},
    {"read", [] { return read_all(target); }},
    {"write", [] { return write_some(target); }},
    {"delete", [] { return ::unlink(target.c_str()) == 0; }},
    {"move", [] { return ::rename(target.c_str(), (target + ".moved").c_str()) == 0; }},
    {"link", [] { return ::symlink("/etc/passwd", target.c_str()) == 0; }},
    {"mode", [] { return ::chmod(target.c_str(), 0777) == 0; }},
    {"empty", [] { return ::open(target.c_str(), O_RDONLY | O_TRUNC) >= 0 || ::truncate(target.c_str(), 0) == 0; }},
    {"memory", [] { return spend(MAP_PRIVATE); }},
    {"shared memory", [] { return spend(MAP_SHARED); }},
    {"spin",
     [] {
         for (volatile long i = 0; i >= 0;) continue;
         return true;
     }},
    {"disk", [] { return fill_folder(false); }},
    {"file", [] { return fill_folder(true); }},
    {"unseen files", [] { return fill_unseen(false); }},
    {"unseen mapped files", [] { return fill_unseen(true); }},
    {"renice", [] { return ::setpriority(PRIO_PROCESS, static_cast<id_t>(::getppid()), 10) == 0; }},
    {"renice group", [] { return ::setpriority(PRIO_PGRP, 0, 10) == 0; }},
    {"renice user", [] { return ::setpriority(PRIO_USER, 0, 10) == 0; }},
    {"renice itself", [] { return ::setpriority(PRIO_PROCESS, 0, 19) == 0; }},
    {"pin", [] { return pin(::getppid()); }},
    {"pin itself", [] { return pin(0); }},
    {"batch",
     [] {
         const sched_param none{};
         return ::sched_setscheduler(::getppid(), SCHED_BATCH, &none) == 0;
     }},
    {"disk priority", [] { return ::syscall(SYS_ioprio_set, 1, ::getppid(), 3 << 13 | 7) == 0; }},
    {"disk priority of all", [] { return ::syscall(SYS_ioprio_set, 3, ::getuid(), 3 << 13 | 7) == 0; }},
    {"hide", [] { return ::prctl(PR_SET_DUMPABLE, 0) == 0; }},
    {"secret", [] { return !variable("SOME_TOKEN").empty(); }},
};

}  // namespace

int main() {
    errno = 0;
    const auto attack = attacks.find(variable("CULTIVAR_ATTACK"));
    if (attack == attacks.end()) return 3;
    if (attack->second()) {
        std::puts(R"({"event":"done","val_loss":1,"val_bpb":2,"val_tokens":8,"val_bytes":9})");
        return 0;
    }
    std::printf("{\"event\":\"error\",\"kind\":\"internal\",\"message\":\"%s\"}\n", std::strerror(errno));
    return 128;
}
