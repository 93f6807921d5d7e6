// One connection to a remote by libgit2. It blocks as long as the remote does, and a remote may crash it:
// pool/transport/libgit2_transport runs it in a child process. Changes the settings of libgit2 in the calling process.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pool/transport/transport.h"

namespace cultivar {

struct FetchedRef {
    std::string local;  // the ref that is to move
    std::string oid;
};

class Libgit2Session {
public:
    // `heartbeat`: called whenever something moves. `git_dir` may be "" for list().
    Libgit2Session(std::string git_dir, std::string remote, const TransportLimits& limits,
                   std::function<void()> heartbeat)
        : git_dir_(std::move(git_dir)), remote_(std::move(remote)), limits_(limits), heartbeat_(std::move(heartbeat)) {}

    // Brings in the objects; the refs are the caller's to move.
    Result<std::vector<FetchedRef>> fetch(const std::vector<std::string>& refspecs);
    Result<std::vector<PushStatus>> push(const std::vector<PushItem>& items);
    Result<RemoteRefs> list();

private:
    class Line;
    Result<std::vector<FetchedRef>> fetch_some(const std::vector<std::string>& refspecs);
    std::string git_dir_, remote_;
    TransportLimits limits_;
    std::function<void()> heartbeat_;
};

}  // namespace cultivar
