// The folder of the index that this user may believe. An index is a cache whose scores, verdicts and keys stand for those of
// the refs, so that one from somebody else, in a copied folder or in a clone that several users share, could tell any
// standing. So it lies in <state>/index/<name>/, a folder that nobody else can write to; its name is a digest of a secret in
// the user's state folder (pool/clone/user_state.h) and of the repository's inode and birth. Nobody else can foresee it. A
// copied clone has another name, and so has one that is used with another state folder, such as by cron without
// XDG_STATE_HOME: each reads the pool once. An index of another name is never read.
#pragma once

#include <string>

#include "pool/util/result.h"

namespace cultivar {

inline constexpr int kKeptIndexes = 4;                   // of this user in a clone, the one in use included
inline constexpr long kUnusedIndex_s = 30L * 24 * 3600;  // then it is removed

// With a trailing '/'; it is made. Of the user's others, those unused for 30 days go, and the least recently used beyond
// four; none that any process has open. So does an `index.sqlite` of earlier versions, after 30 days. Errors: io (there is
// no state folder that can be written; hint: none).
Result<std::string> own_index(const std::string& state_dir, const std::string& git_dir);

// A folder of this user that nobody else can write to, and no link.
bool is_private_folder(const std::string& folder);

}  // namespace cultivar
