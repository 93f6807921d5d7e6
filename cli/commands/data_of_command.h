// `cultivar data` in a pool with a command of its own, whose data are files as they are (cli/runs/data_links.h).
#pragma once

#include <string>
#include <vector>

#include "cli/app/context.h"
#include "cli/session/session.h"

namespace cultivar {

// The first import settles the pool's data and commits their digests to main. Errors: usage (the command names no data), and
// those of find_data().
Result<int> import_command_data(Context& context, Session& session, const std::vector<std::string>& sources);
Result<int> list_command_data(Context& context, const Clone& clone);
// Digests all of it again. No: a file is missing or another one.
Result<int> check_command_data(Context& context, const Clone& clone);

}  // namespace cultivar
