// Marks a later format of logs and bundles: a file `cultivar-format` in the tree of a commit. A reader that finds one
// asks for a newer cultivar, and neither reads nor adds anything.
#pragma once

#include <algorithm>
#include <vector>

#include "pool/git/repository.h"

namespace cultivar {

inline bool is_of_later_format(const std::vector<TreeEntry>& root) {
    return std::ranges::any_of(root, [](const TreeEntry& entry) { return entry.name == "cultivar-format"; });
}

}  // namespace cultivar
