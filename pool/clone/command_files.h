// The files of a pool's command: those below files/ on main, and below the folders that its surface names.
#pragma once

#include "pool/git/repository.h"
#include "pool/types/trainer_command.h"

namespace cultivar {

// Fills in the command's files with their digests. Format 1: those that it names; format 2: all below
// task_folders(), which its surface then knows too. Errors: not_found (main lacks one), corrupt (a link, a submodule,
// too many or too large: kMaxCommandFiles; marker lines not in pairs), git.
Result<void> take_command_files(const Repo& repo, const Oid& main, PoolCommand& command);

// Those of a folder on disk, for a new pool: path and bytes, sorted by path; fills in the command's files too. Errors: as
// above, usage (a name that a pool cannot hold), io.
Result<std::vector<std::pair<std::string, std::string>>> command_files_beside(const std::string& folder,
                                                                              PoolCommand& command);

}  // namespace cultivar
