#include "benchmarks/pool/hosting.h"

#include <chrono>
#include <thread>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr auto kStartLook = std::chrono::milliseconds(20);
constexpr int kStartLooks = 250;

}  // namespace

Result<std::unique_ptr<Hosting>> Hosting::start(const std::string& folder) {
    TRY_ASSIGN(const int port, free_port());
    TRY_ASSIGN(Child daemon,
               Child::start({"git", "daemon", "--reuseaddr", "--listen=127.0.0.1", fmt::format("--port={}", port),
                             "--export-all", "--enable=receive-pack", "--base-path=" + folder, folder},
                            0));
    std::unique_ptr<Hosting> hosting(new Hosting(std::move(daemon)));
    for (int i = 0; i < kStartLooks && !answers(port); ++i) std::this_thread::sleep_for(kStartLook);
    if (!answers(port)) return fail(Code::io, "git daemon does not answer", "git daemon --help");
    TRY_ASSIGN(hosting->relay_, Relay::start(port));
    return hosting;
}

std::string Hosting::url(const std::string& repository) const {
    return fmt::format("git://127.0.0.1:{}/{}", relay_->port(), repository);
}

}  // namespace cultivar
