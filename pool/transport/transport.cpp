#include "pool/transport/transport.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <unistd.h>

#include "pool/transport/retrying_transport.h"

namespace cultivar {
namespace {

bool is_on_path(const std::string& program) {
    const char* path = std::getenv("PATH");
    std::istringstream folders(path ? path : "/usr/bin:/bin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (::access(std::filesystem::path(folder).append(program).c_str(), X_OK) == 0) return true;
    }
    return false;
}

}  // namespace

bool has_git_program() { return is_on_path("git"); }

std::unique_ptr<Transport> open_transport(const std::string& git_dir, std::function<bool()> stop) {
    auto plain = has_git_program() ? git_cli_transport(git_dir, stop) : libgit2_transport(git_dir, stop);
    return retrying(std::move(plain), real_backoff(std::move(stop)));
}

Result<RemoteRefs> Transport::list(const std::string& remote) {
    RemoteRefs refs;
    TRY(each_ref(remote, [&](std::string_view name, std::string_view oid) { refs.emplace_back(name, oid); }));
    return refs;
}

Result<bool> has_branch(const std::string& url, const std::string& ref) {
    bool found = false;
    TRY(open_transport("")->each_ref(url,
                                     [&](std::string_view name, std::string_view) { found = found || name == ref; }));
    return found;
}

}  // namespace cultivar
