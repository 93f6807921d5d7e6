// The ready tasks that come with the program: folders with a task.toml and its files, in share/cultivar/tasks/ beside the
// program's own folder.
#pragma once

#include <string>

#include "pool/util/result.h"

namespace cultivar {

// The task file that `--task` names: the file itself, or that of the ready task with this name. Errors: not_found, with the
// names that there are.
Result<std::string> task_file_of(const std::string& named);

}  // namespace cultivar
