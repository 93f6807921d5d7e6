// Removes what a foreign program left in its folder, whatever it did there.
#pragma once

#include <string>

#include "pool/util/result.h"

namespace cultivar {

// Removes a folder, or a file or link of that name, with all below it: also folders that are closed to this user, or
// nested deeper than any path or number of open files reaches. No link is followed. Nothing may write there meanwhile.
// Errors: io.
Result<void> remove_folder(const std::string& folder);

}  // namespace cultivar
