// Refreshes a file of grid data with the user's own command. cultivar itself opens no connection.
#pragma once

#include <functional>

#include "energy/factors/factors.h"

namespace cultivar {

// Runs the command in the file's folder and keeps its standard output as the file, whole or not at all; an output that is no
// grid data leaves the old file. Errors: io (it cannot start, failed, or took longer than its limit), corrupt, interrupted.
Result<void> fetch_file(const FetchedFile& file, const std::function<bool()>& interrupted);

}  // namespace cultivar
