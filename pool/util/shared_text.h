// Text of this machine that goes into a pool, where everybody reads it: the reasons of runs and verdicts.
#pragma once

#include <string>
#include <string_view>

namespace cultivar {

// Passwords in URLs are masked, and a path outside the system's own folders becomes its last name: "cannot read
// '/home/jane/secret project/x.txt'" becomes "cannot read 'x.txt'". `home`: the user's folder, "~" where it ends there.
std::string for_sharing(std::string_view text, std::string_view home);
std::string for_sharing(std::string_view text);  // with this user's

}  // namespace cultivar
