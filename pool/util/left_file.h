// Files in a folder where a foreign program wrote as it liked.
#pragma once

#include <string>

#include "pool/util/result.h"

namespace cultivar {

// Reads `name`, a path below `folder`. No link is followed, and a pipe or a device is no file. Errors: not_found, io,
// corrupt over the limit.
Result<std::string> read_left_file(const std::string& folder, const std::string& name, std::size_t limit_bytes);

// Removes links and files on the way to `name`, so that a file written there stays below `folder`.
void clear_way_to(const std::string& folder, const std::string& name);

}  // namespace cultivar
