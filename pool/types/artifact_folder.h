// A folder as the bytes of an artifact: an archive that is a pure function of its files' paths and contents, and that any
// tar unpacks.
//
//   POSIX ustar, blocks of 512 bytes. First a header for the folder "artifact/", then for each file, sorted bytewise by path,
//   a header with the prefix "artifact" and the path as its name, and the file's bytes, filled up with zeros; then two
//   blocks of zeros. In every header: mode 0755, owner and group "cultivar" with the numbers 0, time 0; octal numbers with
//   leading zeros. Nothing else is in the archive: an empty folder leaves no trace, and no link can be written.
//
// A path has at most 100 bytes and 8 parts of letters, digits and "._-+=,@%" that begin with a letter, a digit or "_". No two
// paths differ in case alone, and none is the folder of another. A folder has 1 to 1,000 files.
//
// Bytes that begin with that first header stand for a folder, wherever they come from; all others stand for a file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

inline constexpr std::size_t kMaxArtifactFiles = 1000, kMaxArtifactDepth = 8;

bool is_artifact_folder(std::string_view bytes);

// Paths and contents, in any order. Errors: corrupt (a path, or too many files or none), with words for a run's reason.
Result<std::string> pack_artifact_folder(std::vector<std::pair<std::string, std::string>> files);

// Views of `bytes`. Errors: corrupt, for whatever pack_artifact_folder() does not write.
using PackedFiles = std::vector<std::pair<std::string, std::string_view>>;
Result<PackedFiles> unpack_artifact_folder(std::string_view bytes);

}  // namespace cultivar
