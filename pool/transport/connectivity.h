// Do new commits bring their whole history and every file? libgit2 does not ask, and what a remote left out once would
// never be sent again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pool/util/result.h"

struct git_repository;

namespace cultivar {

// Walks from `tips` to what the refs reach already. `heartbeat`: called with each commit.
bool is_connected(git_repository* repo, const std::vector<std::string>& tips, const std::function<void()>& heartbeat);

// What a remote that is itself a shallow clone is told apart by: nothing can be taken from it.
tl::unexpected<Error> shallow_remote(const std::string& remote);

}  // namespace cultivar
