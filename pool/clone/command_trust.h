// Command trust: may a pool's command run on this machine? A user pins the digest of the one command that may, with every
// file of the pool that it can reach by a path: what it names, however it spells that, and all below files/. If one of
// them changes on main, the command must be trusted again. Pins lie in the user's own state folder, never in a clone, so
// that none comes with a folder that was copied or unpacked: $XDG_STATE_HOME/cultivar/trust/<digest of the path> (or below
// ~/.local/state): the digest, the repository's path, its inode and the time it was made, then the pinned lines. A pin
// counts only for the user whom the file belongs to and for the repository that still lies there: moved, copied or made
// anew, it is trusted again. Earlier versions kept <state>/trust in the clone. That file is trusted no more, and removed
// by the next pin.
#pragma once

#include <string>
#include <vector>

#include "pool/clone/clone.h"

namespace cultivar {

// Is the command on main the one that was pinned? Errors: io (no home to keep pins in), usage (no pool of kind
// "command").
Result<bool> is_command_trusted(const Clone& clone);
Result<void> pin_command(const Clone& clone);
// SHA-256 of the text that is pinned. Errors: corrupt (too many files), git.
Result<std::string> trust_digest(const Clone& clone);
// Files of main that the pin covers beside those of PoolCommand::files, by their paths. Errors: corrupt (too many), git.
Result<std::vector<std::string>> other_covered_files(const Clone& clone);
// The changes since the command was pinned, a sentence each; none where nothing is known of a pin. Errors: as above.
Result<std::vector<std::string>> changes_since_trust(const Clone& clone);
Result<void> revoke_command_trust(const Clone& clone);

// The command to start, its files copied below `folder`. The only way to it, and closed unless it is trusted. Errors:
// not_found (not trusted, or changed since; hint: cultivar trust), io, git.
Result<std::vector<std::string>> trusted_command(const Clone& clone, const std::string& folder);

}  // namespace cultivar
