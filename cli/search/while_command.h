// The user's --while command: it says whether a run may go on just now.
#pragma once

#include <functional>
#include <string>

#include "pool/util/clock.h"

namespace cultivar {

// Runs `sh -c command` and waits for it, 60 s at most. True when it exits with 0 in time; false too when it cannot be
// started or `interrupted` says so.
bool ask_while_command(const std::string& command, const Clock& clock, const std::function<bool()>& interrupted);

}  // namespace cultivar
