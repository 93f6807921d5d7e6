// The folder of the index of a clone that lies on a network file system, where SQLite's write-ahead log corrupts. An index
// is a cache, so that each machine can have its own; locks stay in the clone, where those of other machines are seen.
#pragma once

#include <optional>
#include <string>

#include "pool/util/network_file_system.h"

namespace cultivar {

struct LocalIndex {
    std::string folder;  // with a trailing '/'
    bool is_new = false;
};

// In the user's cache folder, or in that for temporary files, whichever is on a disk of this machine; it is made. None:
// neither is.
std::optional<LocalIndex> local_index(const std::string& git_dir, const FileSystemKind& kind);

}  // namespace cultivar
