// Talking to a remote: by the user's `git` program (ssh configuration, credential helpers, proxies and protocol v2 come
// with it) or, where there is none, by libgit2. Nothing is prompted for, hooks of the local repository and submodules
// play no part, tags are not fetched, nothing is forced. Both work in a child process under the limits below: a remote
// that hangs, lies, floods or breaks off, or crashes its reader, ends in an error of kind `git`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pool/process/limits.h"
#include "pool/util/result.h"

namespace cultivar {

struct FetchReport {
    std::vector<std::pair<std::string, std::string>> refused;  // local ref, why ("non-fast-forward")
};

struct PushItem {
    std::string local;   // full ref name; "": the remote's ref is deleted
    std::string remote;  // full ref name there
};

struct PushStatus {
    std::string remote;
    bool accepted = false;  // moved, or was already there
    bool changed = false;   // moved by this push
    std::string reason;     // why not: "[rejected] (non-fast-forward)", "[remote rejected] (hook declined)"
};

using RemoteRefs = std::vector<std::pair<std::string, std::string>>;  // name, object

class Transport {
public:
    virtual ~Transport() = default;
    // `remote`: a name or a URL. Refspecs as git has them. Errors: git (unreachable, with the remote's own words; a ref
    // that is named in full and absent: "couldn't find remote ref").
    virtual Result<FetchReport> fetch(const std::string& remote, const std::vector<std::string>& refspecs) = 0;
    // Never forces. Every ref's own status comes back, in the order of `items`. Errors: git (unreachable).
    virtual Result<std::vector<PushStatus>> push(const std::string& remote, const std::vector<PushItem>& items) = 0;
    // Every ref of the remote. Errors: git (unreachable).
    virtual Result<RemoteRefs> list(const std::string& remote) = 0;
};

// `git_dir`: the repository; "" for list() of a URL alone. `stop`: asked all the while; true ends it.
std::unique_ptr<Transport> git_cli_transport(const std::string& git_dir, std::function<bool()> stop = {},
                                             const TransportLimits& limits = {});
std::unique_ptr<Transport> libgit2_transport(const std::string& git_dir, std::function<bool()> stop = {},
                                             const TransportLimits& limits = {});

// The git program where there is a `git` along PATH, else libgit2; a push is tried again where that may help
// (pool/retrying).
std::unique_ptr<Transport> open_transport(const std::string& git_dir, std::function<bool()> stop = {});

// One reachable-or-not question, and the list of refs. Errors: git.
Result<RemoteRefs> list_remote(const std::string& url);

}  // namespace cultivar
