// Command trust: may a pool's command run on this machine? A user pins the digest of the one command that may; a command
// that changes on main must be trusted again. Pins lie in the user's own state folder, never in a clone, so that none
// comes with a folder that was copied or unpacked: $XDG_STATE_HOME/cultivar/trust/<digest of the path> (or below
// ~/.local/state), three lines: the command's digest, the repository's path, its inode and the time it was made. A pin counts only for the user
// whom the file belongs to and for the repository that still lies there: moved, copied or made anew, it is trusted again.
// Earlier versions kept <state>/trust in the clone. That file is trusted no more, and removed by the next pin.
#pragma once

#include <string>
#include <vector>

#include "pool/clone/clone.h"

namespace cultivar {

// Is the command on main the one that was pinned? Errors: io (no home to keep pins in), usage (no pool of kind
// "command").
Result<bool> is_command_trusted(const Clone& clone);
Result<void> pin_command(const Clone& clone);
Result<void> revoke_command_trust(const Clone& clone);

// The command to start, its files copied below `folder`. The only way to it, and closed unless it is trusted. Errors:
// not_found (not trusted, or changed since; hint: cultivar trust), io, git.
Result<std::vector<std::string>> trusted_command(const Clone& clone, const std::string& folder);

}  // namespace cultivar
