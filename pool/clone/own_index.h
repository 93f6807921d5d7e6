// An index is believed only where this user made it. Its scores, verdicts and keys stand for those of the refs, so that
// one in a folder from somebody else would tell any standing. What was made is kept beside the trust in commands, outside
// every clone: $XDG_STATE_HOME/cultivar/index/<digest of path and machine>, with the path, the inode and the time of its birth. An
// index that was copied, unpacked or moved is none of this user's and made anew, once. A user without a writable state
// folder, whom no folder can give one either, keeps the index that is there.
#pragma once

#include <string>

#include "pool/util/result.h"

namespace cultivar {

inline constexpr const char* kIndexFile = "index.sqlite";

// Is there an index of this user's own at `path`? Any other is removed, and an empty file put in its place. Errors: io,
// busy.
Result<void> require_own_index(const std::string& path);

// The index that this user made at `from` lies at `to` now. Errors: io.
Result<void> follow_own_index(const std::string& from, const std::string& to);

}  // namespace cultivar
