// Files in a folder where a foreign program wrote as it liked.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

// Reads `name`, a path below `folder`. No link is followed, and a pipe or a device is no file. Errors: not_found, io,
// corrupt over the limit.
Result<std::string> read_left_file(const std::string& folder, const std::string& name, std::size_t limit_bytes);

struct LeftLimits {
    std::size_t bytes = 0;
    std::size_t entries = 0;  // files, and folders below it
    std::size_t depth = 0;    // of folders within one another, itself included
};
// The files below the folder `name`, paths and contents in no order; links, pipes and devices are refused. Stops at a limit,
// whatever else there is. Errors: not_found (it is no folder), io, corrupt, with words for what it left.
using LeftFiles = std::vector<std::pair<std::string, std::string>>;
Result<LeftFiles> read_left_folder(const std::string& folder, const std::string& name, const LeftLimits& limits);

// Removes links and files on the way to `name`, and a folder of this name, so that a file can be written there and stays
// below `folder`. Folders on the way are opened to this user. Errors: io.
Result<void> clear_way_to(const std::string& folder, const std::string& name);

}  // namespace cultivar
