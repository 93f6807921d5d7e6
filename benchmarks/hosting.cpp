#include "benchmarks/hosting.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "benchmarks/measured.h"

namespace cultivar {
namespace {

constexpr auto kStartLook = std::chrono::milliseconds(20);
constexpr int kStartLooks = 250;

}  // namespace

Result<std::unique_ptr<Hosting>> Hosting::start(const std::string& folder) {
    TRY_ASSIGN(const int port, free_port());
    TRY_ASSIGN(const pid_t daemon,
               start_program({"git", "daemon", "--reuseaddr", "--listen=127.0.0.1", fmt::format("--port={}", port),
                              "--export-all", "--enable=receive-pack", "--base-path=" + folder, folder}));
    std::unique_ptr<Hosting> hosting(new Hosting(daemon));
    for (int i = 0; i < kStartLooks && !answers(port); ++i) std::this_thread::sleep_for(kStartLook);
    if (!answers(port)) return fail(Code::io, "git daemon does not answer", "git daemon --help");
    TRY_ASSIGN(hosting->relay_, Relay::start(port));
    return hosting;
}

Hosting::~Hosting() {
    relay_.reset();
    ::kill(-daemon_, SIGTERM);  // its group: git daemon is a program of its own that git started
    ::waitpid(daemon_, nullptr, 0);
}

std::string Hosting::url(const std::string& repository) const {
    return fmt::format("git://127.0.0.1:{}/{}", relay_->port(), repository);
}

}  // namespace cultivar
