// Reads from a program's file how it starts, without running it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

struct ExecutableFile {
    std::string path;                        // as found along PATH
    bool script = false;                     // it names an interpreter
    std::vector<std::string> library_paths;  // folders that it names for its libraries; none in a script
};

// Of the programs of this name along PATH it takes the first that `reachable` accepts, else the first; a script that is not
// reachable would find nothing that it needs. Errors: not_found (also such a script), io.
Result<ExecutableFile> read_executable_file(const std::string& program,
                                            const std::function<bool(const std::string&)>& reachable = {});

}  // namespace cultivar
