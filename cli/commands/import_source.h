// The half of `import` that makes a child from changed source files.
#pragma once

#include <string>

#include "cli/app/context.h"

namespace cultivar {

// `folder`: the files of the run, as `edit` wrote them; or "" and the unified diff `patch`.
Result<int> import_source(Context& context, const std::string& folder, const std::string& patch,
                          const std::string& parent);

}  // namespace cultivar
