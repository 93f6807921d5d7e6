// A candidate's source files edited by a person or an agent: written to a folder, read back as a child's.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/session/session.h"

namespace cultivar {

using FileBytes = std::map<std::string, std::string>;  // path in the run's folder, bytes

// The task's files with the candidate's over them, as a run finds them. Errors: usage (the task has no surface),
// not_found, git.
Result<FileBytes> files_of_run(Session& session, const Candidate& candidate);

// The files below a folder on disk, but for those that nobody means: hidden names, `__pycache__` and names that end with
// "~". Errors: usage (a link, or more than a task may have), io.
Result<FileBytes> read_source_folder(const std::string& folder);

// The files of a run after a unified diff. Errors: usage, unfit (pool/util/patch.h).
Result<FileBytes> patched_files(FileBytes files, const std::string& patch, const std::string& where);

// The candidate that differs from its parent by these files of its run. Files of the task outside its surface may be
// left out of them. Errors: usage (a file that may not change, or is missing), unfit (nothing changed).
Result<Candidate> child_with_files(Session& session, const Candidate& parent, const FileBytes& files);

struct FileDiff {
    std::string path, text;  // a unified diff
};
// Of the files in which the runs of two candidates differ, by path. Errors: not_found, git.
Result<std::vector<FileDiff>> file_diffs(Session& session, const Candidate& before, const Candidate& after);

}  // namespace cultivar
