// Command trust: may a pool's command run on this machine? <state>/trust holds the digest of the one command that may,
// as its user pinned it; a command that changes on main must be trusted again.
#pragma once

#include <string>
#include <vector>

#include "pool/clone/clone.h"

namespace cultivar {

// Is the command on main the one that was pinned? Errors: io, usage (no pool of kind "command").
Result<bool> is_command_trusted(const Clone& clone);
Result<void> pin_command(const Clone& clone);
Result<void> revoke_command_trust(const Clone& clone);

// The command to start, its files copied below `folder`. The only way to it, and closed unless it is trusted. Errors:
// not_found (not trusted, or changed since; hint: cultivar trust), io, git.
Result<std::vector<std::string>> trusted_command(const Clone& clone, const std::string& folder);

}  // namespace cultivar
