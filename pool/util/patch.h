// Unified diffs, read and applied exactly: every hunk fits at the line that it names, or the patch is refused. Files may
// be changed or made; a deletion, a new name, a mode or binary content is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

inline constexpr std::size_t kMaxPatch_bytes = 8 << 20, kMaxPatchedFiles = 1000;

struct Hunk {
    std::size_t line = 0;   // of its header in the patch, from 1
    std::size_t first = 0;  // the first line of `before`, from 1; with none, the line that it comes after
    std::vector<std::string> before, after;  // lines with their line feeds
};

struct FilePatch {
    std::string path;  // without a/ and b/; not checked
    bool creates = false;
    std::vector<Hunk> hunks;
};

// Errors: usage, "WHERE:LINE: ..." with the line of the patch.
Result<std::vector<FilePatch>> parse_patch(std::string_view text, const std::string& where);

// Errors: unfit, "PATH:LINE: ..." with the line of the file, its text and where the expected text is instead.
Result<std::string> apply_patch(const FilePatch& patch, std::string_view before);

}  // namespace cultivar
