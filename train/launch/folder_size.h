// The room that a hostile program takes in its folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cultivar {

struct FolderLimits {
    std::int64_t bytes = 0;
    std::size_t files = 10'000;  // and folders
    int depth = 64;              // of folders within one another
};

// The bytes of all files in a folder, or limits.bytes + 1 as soon as a limit is passed or a part of it cannot be counted:
// one that is closed to this user. Goes from folder to folder by descriptors, so that no path is too long, and follows no
// link. A part that vanishes meanwhile counts no more.
std::int64_t folder_bytes(const std::string& folder, const FolderLimits& limits);

}  // namespace cultivar
