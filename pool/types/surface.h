// The surface of a task: which source files a candidate may bring, in a pool of kind "command", format 2.
//
//   [surface]
//   edit = ["src/**"]                      globs (pool/types/glob.h) of paths in the run's folder; each begins with a folder
//   never = ["src/vendor/**"]              these win
//   between = ["# BEGIN", "# END"]         only between such lines may a file of the task change; optional
//   max_files = 20, max_bytes = 262144     of one candidate
//
// A candidate holds only the files that differ from the task's, or that the task lacks. A path has parts of letters,
// digits and "._-". Two paths that differ in case alone, or of which one is the folder of the other, are one too many.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pool/util/toml_table.h"

namespace cultivar {

inline constexpr std::int64_t kMaxSourceFiles = 100;
inline constexpr std::int64_t kMaxSource_bytes = 4 << 20;
inline constexpr std::size_t kMaxSourcePath_bytes = 200;

using SourceFiles = std::map<std::string, std::string>;  // path in the run's folder, SHA-256 of the bytes

// In small letters: files, and folders with their '/'.
using PathNames = std::map<std::string, std::string>;
// Adds a path and its folders to `names`. False where one of them is another one's but for its case, there or among
// those `before`, or a file is a folder too.
bool takes_name(const PathNames& before, PathNames& names, const std::string& path);

class Surface {
public:
    std::vector<std::string> edit, never;
    std::vector<std::string> between;  // the two lines, or none
    std::int64_t max_files = 20, max_bytes = 256 << 10;

    bool covers(std::string_view path) const;
    // The folders that `edit` names: the first parts of its globs.
    std::set<std::string> folders() const;

    // Makes a file of the task known. Errors: corrupt (its marker lines are not in pairs).
    Result<void> add_task_file(const std::string& path, const std::string& sha256, std::string_view bytes);
    const SourceFiles& task_files() const { return task_files_; }

    // May a candidate bring files of these names? Errors: usage.
    Result<void> check_paths(const SourceFiles& files) const;
    // May the file have these bytes? Errors: usage, "PATH:LINE: ...", so far as a line is at fault.
    Result<void> check_bytes(const std::string& path, std::string_view bytes) const;

private:
    SourceFiles task_files_;
    std::map<std::string, std::string> outside_;  // SHA-256 of a file's bytes that are not between marker lines
    PathNames names_;                             // of the task
};

// Reads [surface], of which there must be something. Errors: usage (where:line:col).
Result<Surface> read_surface(TomlTable& table);
std::string surface_toml(const Surface& surface);

// The bytes that are not between marker lines, marker lines included. Errors: usage, with the line.
Result<std::string> outside_markers(std::string_view text, const std::vector<std::string>& between);

}  // namespace cultivar
