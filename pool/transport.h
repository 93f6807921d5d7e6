// Talking to a remote, by the user's `git` program: ssh configuration, credential helpers, proxies and protocol v2 come
// with it. Nothing is prompted for, hooks of the local repository and submodules play no part, tags are not fetched.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pool/result.h"

namespace cultivar {

struct FetchReport {
    std::vector<std::pair<std::string, std::string>> refused;  // local ref, why ("non-fast-forward")
};

struct PushItem {
    std::string local;   // full ref name
    std::string remote;  // full ref name there
};

struct PushStatus {
    std::string remote;
    bool accepted = false;  // moved, or was already there
    bool changed = false;   // moved by this push
    std::string reason;     // why not
};

class Transport {
public:
    virtual ~Transport() = default;
    // Refspecs as git has them. Errors: git (unreachable, with the remote's own words).
    virtual Result<FetchReport> fetch(const std::string& remote, const std::vector<std::string>& refspecs) = 0;
    // Never forces. Every ref's own status comes back, in the order of `items`. Errors: git (unreachable).
    virtual Result<std::vector<PushStatus>> push(const std::string& remote, const std::vector<PushItem>& items) = 0;
};

// `git_dir`: the repository. `stop`: asked while git runs; true ends it.
std::unique_ptr<Transport> git_program(const std::string& git_dir, std::function<bool()> stop = {});

// One reachable-or-not question, and the list of refs: `git ls-remote`. Errors: git.
Result<std::vector<std::pair<std::string, std::string>>> list_remote(const std::string& url);

}  // namespace cultivar
