// Texts merged and compared by libgit2, as git itself does it. Pure functions of bytes.
#pragma once

#include <string>
#include <string_view>

#include "pool/util/result.h"

namespace cultivar {

struct TextMerge {
    std::string text;  // with git's marks at every conflict
    bool clean = true;
};

// A three-way merge, as `git merge-file`. Errors: git.
Result<TextMerge> merge_texts(std::string_view base, std::string_view ours, std::string_view theirs);

// A unified diff with headers `--- a/PATH` and `+++ b/PATH`, or /dev/null for bytes that are not there at all (null);
// "" for equal bytes. Errors: git.
Result<std::string> unified_diff(const std::string& path, const std::string* before, const std::string* after);

}  // namespace cultivar
