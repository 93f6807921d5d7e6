// The files of a cross: each path by its digest, over the common ancestors. Where one parent alone differs from the base,
// the child takes its file; where both changed a file in different ways, the texts are merged. A path without a digest is
// the task's own file.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pool/types/surface.h"

namespace cultivar {

struct FileVersions {
    std::string path, base, a, b;  // digests; base "": the task's file, or none
};

// Gives the digest of the merged text, or "" where the changes conflict.
using FileMerger = std::function<Result<std::string>(const FileVersions&)>;

// Errors: unfit, naming every file in conflict; those of `merge`.
Result<SourceFiles> merge_files(const SourceFiles& a, const SourceFiles& b, const std::vector<SourceFiles>& bases,
                                const FileMerger& merge);

}  // namespace cultivar
