// Talks to a remote: by the user's `git` program (ssh configuration, credential helpers, proxies and protocol v2 come
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

#include "pool/process/communicate.h"
#include "pool/util/result.h"

namespace cultivar {

// Limits on a remote; the process that talks to it is ended when it exceeds one.
struct TransportLimits : CommunicateLimits {
    std::int64_t memory_bytes = std::int64_t{2} << 30;  // private memory of the process that talks to it
    std::int64_t fetch_bytes = std::int64_t{4} << 30;   // one pack
    std::size_t objects = 4'000'000;                    // in one pack; libgit2 only
    std::size_t object_bytes = std::size_t{1} << 30;    // one object; libgit2 only, where it knows such a limit
};

struct RefusedRef {
    std::string ref;       // local, as git shortens it: "origin/journal/x"
    std::string why;       // "non-fast-forward", "cannot lock ref ..."
    bool rewound = false;  // the remote's ref does not descend from the local one

    bool operator==(const RefusedRef&) const = default;
};

struct FetchReport {
    std::vector<RefusedRef> refused;
};

struct PushItem {
    std::string local;   // full ref name; "": the remote's ref is deleted
    std::string remote;  // full ref name there
};

enum class PushRefusal {
    none,       // accepted
    behind,     // the remote's ref has commits that the local one lacks
    transient,  // a lock, or a busy or restarting server
    rule,       // a hook or a missing permission; anything unknown
};

struct PushStatus {
    std::string remote;
    bool accepted = false;  // moved, or was already there
    bool changed = false;   // moved by this push
    std::string reason;     // why not: "[rejected] (non-fast-forward)", "[remote rejected] (hook declined)"
    PushRefusal refusal = PushRefusal::none;
};

using RemoteRefs = std::vector<std::pair<std::string, std::string>>;  // name, object

// Is told a ref of a remote: its full name and its object.
using RefVisitor = std::function<void(std::string_view name, std::string_view oid)>;

class Transport {
public:
    virtual ~Transport() = default;
    // `remote`: a name or a URL. Refspecs as git has them; a source may be an object that each_ref() told, which of many
    // thousand refs costs far less than their names. Errors: git (unreachable, with the remote's own words), with a
    // reason: ref_missing, too_large or transient where it is one of these.
    virtual Result<FetchReport> fetch(const std::string& remote, const std::vector<std::string>& refspecs) = 0;
    // Never forces. Every ref's own status comes back, in the order of `items`. Errors: git (unreachable).
    virtual Result<std::vector<PushStatus>> push(const std::string& remote, const std::vector<PushItem>& items) = 0;
    // Tells every ref of the remote as its name comes; none is kept here. Errors: git (unreachable), git with
    // Reason::too_large (more names than the process that reads them can hold: about ten million).
    virtual Result<void> each_ref(const std::string& remote, const RefVisitor& visit) = 0;
    // All of them: for a remote of one's own. Errors: as each_ref().
    Result<RemoteRefs> list(const std::string& remote);
};

// `git_dir`: the repository; "" for each_ref() of a URL alone. `stop`: asked all the while; true ends it.
std::unique_ptr<Transport> git_cli_transport(const std::string& git_dir, std::function<bool()> stop = {},
                                             const TransportLimits& limits = {});
std::unique_ptr<Transport> libgit2_transport(const std::string& git_dir, std::function<bool()> stop = {},
                                             const TransportLimits& limits = {});

bool has_git_program();  // along PATH

// The git program where there is a `git` along PATH, else libgit2; a push is tried again where that may help
// (pool/transport/retrying_transport.h).
std::unique_ptr<Transport> open_transport(const std::string& git_dir, std::function<bool()> stop = {});

// Is there a ref of this full name at `url`? Errors: git (unreachable).
Result<bool> has_branch(const std::string& url, const std::string& ref);

}  // namespace cultivar
