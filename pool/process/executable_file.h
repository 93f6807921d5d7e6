// Reads from a program's file how it starts, without running it.
#pragma once

#include <string>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

struct ExecutableFile {
    std::string path;                        // as found along PATH
    bool script = false;                     // it names an interpreter
    std::vector<std::string> library_paths;  // folders that it names for its libraries; none in a script
};

// Errors: not_found, io.
Result<ExecutableFile> read_executable_file(const std::string& program);

}  // namespace cultivar
