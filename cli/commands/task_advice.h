// Likely mistakes in a new task file, which are no errors.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pool/types/task.h"

namespace cultivar {

// One line for each gene that reaches the program nowhere, and for each word that names a file beside the task file which
// no run finds. `files`: those that the pool takes, path and bytes. `beside`: the folder of the task file.
std::vector<std::string> task_advice(const Task& task, const std::vector<std::pair<std::string, std::string>>& files,
                                     const std::string& beside);

}  // namespace cultivar
