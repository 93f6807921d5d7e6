// What this user keeps about repositories on this machine, outside them: a copied or foreign folder brings none of it.
#pragma once

#include <string>

#include "pool/util/result.h"

namespace cultivar {

// $XDG_STATE_HOME/cultivar, else ~/.local/state/cultivar; it may not be there yet. Errors: io (neither is known).
Result<std::string> user_state_folder();

// Makes it with those above it; nobody else may look into it. Errors: io.
Result<void> make_private_folder(const std::string& folder);

// 32 secret digits, made at the first call and kept there. Errors: io (they cannot be kept, or belong to another user).
Result<std::string> user_secret();

// A file or folder as this machine tells it from every other one: its path without links, and its inode with the time of its
// birth, since numbers are given out again. Errors: io.
struct Identified {
    std::string path, inode;
};
Result<Identified> identify(const std::string& path);

// Is this a file of this user's own?
bool is_users_own(const std::string& path);

}  // namespace cultivar
