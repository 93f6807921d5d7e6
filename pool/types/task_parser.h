// Reads `pool.toml` (pool/types/task.h).
#pragma once

#include <string>
#include <string_view>

#include "pool/types/task.h"
#include "pool/util/result.h"

namespace cultivar {

// Errors: usage (file:line:col), newer. Unknown keys are errors: a typing mistake is never silently ignored.
// With a `draft`, the keys at its head (format, name, created, kind and metric) may be left out: the draft's hold then.
Result<Task> parse_task(std::string_view toml, const std::string& where, const Task* draft = nullptr);

}  // namespace cultivar
