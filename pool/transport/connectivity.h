// Checks that fetched commits come with their whole history and every file. libgit2 does not check; an object that a
// remote left out once would never be sent again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pool/util/result.h"

struct git_repository;

namespace cultivar {

// Walks from `tips` to commits that refs reach already. Calls `heartbeat` for each commit.
bool is_connected(git_repository* repo, const std::vector<std::string>& tips, const std::function<void()>& heartbeat);

// The error for a remote that is itself a shallow clone: nothing can be fetched from it.
tl::unexpected<Error> shallow_remote(const std::string& remote);

}  // namespace cultivar
