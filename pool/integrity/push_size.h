// The unfolded size of a push, for git's `pre-receive` hook. Each ref has limits of its own (pool/integrity/update_hook.h), but a
// small pack can hold a thousand logs of a gigabyte each, and the host would read them all.
#pragma once

#include <cstdint>
#include <vector>

#include "pool/git/repository.h"
#include "pool/integrity/update_hook.h"

namespace cultivar {

inline constexpr std::int64_t kMostPushBytes = std::int64_t{1} << 30;
inline constexpr std::size_t kMostPushRefs = 100'000;

// The new segments of logs, the artifacts, and what bundles carry, by the headers of their objects. A ref that cannot be
// measured counts for nothing: the update hook refuses it. Errors: corrupt, with the reason for the pusher.
Result<void> check_push_size(const Repo& repo, const std::vector<RefUpdate>& updates,
                             std::int64_t most_bytes = kMostPushBytes);

}  // namespace cultivar
