// Whether a repository's own configuration may be believed, as git asks it (safe.directory). A configuration names
// programs that git runs: a repository of another user, or one that came inside another one's files, could name any.
#pragma once

#include <string>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

// Do all these files and folders belong to this user, or to the one who called sudo? One that cannot be looked at does
// not; "" is passed over.
bool is_own(const std::vector<std::string>& paths);

// Does `safe.directory` name the folder: in git's system-wide or global configuration, or by GIT_CONFIG_COUNT? The
// repository's own configuration has no say.
bool is_named_safe(const std::string& folder);

}  // namespace cultivar
