// The data of a pool's own command on this machine: links to the files where they lie, below <state>/data/, and in
// <state>/data.json what they were when their digests were taken:
//   {"schema":1,"files":[{"name","sha256","bytes","path","mtime_ns","inode"}]}
// A file of that size, time and inode is not read again. Many clones may link to one folder that none of them can write.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/app/json.h"
#include "pool/clone/clone.h"

namespace cultivar {

// Told of each file before it is read: its name, and the share of all files that is done.
using DataProgress = std::function<void(const std::string& name, double share)>;

// Looks for the pool's data among these files and folders, or, where the pool has none yet, takes all of them for its data: a
// file by its name, the files of a folder by their paths below it. Gives data.json. Errors: usage (names), not_found,
// corrupt (another digest), io.
Result<Json> find_data(const PoolCommand& command, const std::vector<std::string>& sources,
                       const DataProgress& progress = {});
std::vector<CommandData> data_files_of(const Json& found);
// Errors: io.
Result<void> link_data(const Clone& clone, const Json& found);

struct DataHere {
    std::string folder;              // of the links, with a trailing '/'; "": the pool has no data
    std::vector<std::string> paths;  // where the files lie
};
// The pool's data; a file that has changed since is read again. Errors: not_found, corrupt, io.
Result<DataHere> data_here(const Clone& clone);
// Is all of it linked here? Looks at no content. Errors: not_found, with the import as a hint.
Result<void> need_command_data(const Clone& clone);

}  // namespace cultivar
