// The writer's name and the remote's address, for init and clone.
#pragma once

#include <string>

#include "cli/app/settings.h"
#include "pool/clone/clone.h"

namespace cultivar {

// Taken from the settings, else from the login name and the host's name.
WriterName writer_name(const Settings& settings);

// Makes a path absolute, so that it holds from inside the clone; leaves any other URL as it is. Errors: io.
Result<std::string> absolute_remote(const std::string& url);

}  // namespace cultivar
