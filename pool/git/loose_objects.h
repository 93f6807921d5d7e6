// Reads loose objects in place of libgit2, which reads a truncated one for ever: its loop ends only with the zlib stream,
// and a stream without further input neither ends nor fails (git_zstream_get_output, in every version up to 1.5 at least).
#pragma once

#include "pool/util/result.h"

struct git_repository;

namespace cultivar {

// Puts this reader before libgit2's own, for all reads of the repository from now on. An object that is damaged,
// ends early or claims a size that its bytes cannot have is an error of libgit2. Errors: git.
Result<void> read_loose_objects(git_repository* repo);

}  // namespace cultivar
