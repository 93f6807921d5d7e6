// The folders of runs under way, <state>/run/, run-2/, run-3/, ...: one for each job of an exploration and for a verifier's
// rerun, held by a lock. Source that behaves well under a verifier alone finds no name that tells the two apart.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/runs/planned_run.h"

namespace cultivar {

class RunFolder {
public:
    // One with an unfinished run of this category that nobody is at, else the first without a run. Errors: io.
    static Result<RunFolder> take(const Session& session, const std::string& category);
    // The first without a run. Errors: io.
    static Result<RunFolder> take_free(const Session& session);

    const std::string& path() const { return path_; }  // with a trailing '/'

private:
    using Wish = std::function<bool(const std::optional<PlannedRun>& left)>;
    static Result<std::optional<RunFolder>> take_if(const Session& session, int number, const Wish& wish);
    RunFolder(std::string path, FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
    std::string path_;
    FileLock lock_;
};

// The run that was left unfinished in a folder, if it is still of this task. Errors: io.
Result<std::optional<PlannedRun>> unfinished_run(const Session& session, const std::string& folder);
// Those of all folders, under way or not. Errors: io.
Result<std::vector<PlannedRun>> unfinished_runs(const Session& session);

}  // namespace cultivar
