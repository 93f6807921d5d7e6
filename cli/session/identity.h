// What init and clone share: who we are and where the remote is.
#pragma once

#include <string>

#include "cli/app/settings.h"
#include "pool/clone/clone.h"

namespace cultivar {

// From the settings, else the login name and the host's name.
WriterName writer_name(const Settings& settings);

// A path as an absolute one, so that it holds from inside the clone; any other URL as it is.
Result<std::string> absolute_remote(const std::string& url);

}  // namespace cultivar
