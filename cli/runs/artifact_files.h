// An artifact on disk, a file or a folder, and the bytes that the pool keeps of it (pool/types/artifact_folder.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pool/util/result.h"

namespace cultivar {

// The bytes of what a program left at `path`; none: nothing is there. Errors: corrupt, with words for the run's reason (a
// link, a device, over the cap, a folder that cannot be kept); io.
Result<std::optional<std::string>> left_artifact(const std::string& path, std::int64_t cap_bytes);

// Do the bytes stand for a file or a folder at all? Errors: corrupt.
Result<void> check_artifact_form(const std::string& bytes);
// Makes the file or the folder that they stand for, whatever modes they had where they come from; nothing may be there.
// Errors: corrupt, io.
Result<void> lay_out_artifact(const std::string& bytes, const std::string& path);

}  // namespace cultivar
