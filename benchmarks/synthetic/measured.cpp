#include "benchmarks/synthetic/measured.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <thread>

#include <fmt/format.h>

#include "pool/util/clock.h"

namespace cultivar {
namespace {

constexpr auto kLook = std::chrono::milliseconds(2);
constexpr double kSetUpLimit_s = 3600;

// A nameless file that takes a program's output.
class Scratch {
public:
    Scratch() : file_(std::tmpfile()) {}
    ~Scratch() {
        if (file_) std::fclose(file_);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    int descriptor() const { return file_ ? ::fileno(file_) : -1; }
    std::string text() const {
        std::string all;
        char buffer[65536];
        std::rewind(file_);
        while (std::size_t got = std::fread(buffer, 1, sizeof buffer, file_)) all.append(buffer, got);
        return all;
    }

private:
    std::FILE* file_;
};

std::int64_t peak_of(pid_t pid) {
    std::ifstream status(fmt::format("/proc/{}/status", pid));
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
    }
    return 0;
}

Result<pid_t> start(const std::vector<std::string>& argv, int output, int error) {
    std::vector<char*> words;
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, 1);
    posix_spawn_file_actions_adddup2(&files, error, 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    pid_t pid = -1;
    const int rc = ::posix_spawnp(&pid, words[0], &files, &attributes, words.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (rc != 0) return fail(Code::io, fmt::format("cannot start '{}': {}", argv[0], std::strerror(rc)));
    return pid;
}

}  // namespace

Result<Measured> measure(const std::vector<std::string>& argv, double limit_s) {
    const SystemClock clock;
    Scratch output, error;
    if (output.descriptor() < 0 || error.descriptor() < 0) return fail(Code::io, "cannot make a temporary file");
    const double began_s = clock.now_s();
    TRY_ASSIGN(const pid_t pid, start(argv, output.descriptor(), error.descriptor()));
    Measured measured;
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0) {
        if (!measured.timed_out && clock.now_s() - began_s > limit_s) {
            measured.timed_out = true;
            ::kill(-pid, SIGKILL);
        }
        measured.own_peak_bytes = std::max(measured.own_peak_bytes, peak_of(pid));
        std::this_thread::sleep_for(kLook);
    }
    measured.wall_s = clock.now_s() - began_s;
    int status = 0;
    rusage usage{};
    ::wait4(pid, &status, 0, &usage);
    ::kill(-pid, SIGKILL);  // kills any processes left behind
    measured.peak_bytes = std::max<std::int64_t>(usage.ru_maxrss * 1024, measured.own_peak_bytes);
    if (measured.own_peak_bytes == 0) measured.own_peak_bytes = measured.peak_bytes;
    measured.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    measured.output = output.text();
    measured.error = error.text();
    while (measured.error.ends_with('\n')) measured.error.pop_back();
    return measured;
}

Result<void> run_quietly(const std::vector<std::string>& argv) {
    TRY_ASSIGN(const Measured done, measure(argv, kSetUpLimit_s));
    if (done.exit_code == 0) return {};
    return fail(Code::git, fmt::format("'{}' failed: {}", fmt::join(argv, " "), done.error));
}

}  // namespace cultivar
