// Something that a child tried in vain in its sandbox.
#pragma once

#include <compare>
#include <string>

namespace cultivar {

struct Attempt {
    // Those with a path are told of a watched child alone (SandboxRules::watched).
    enum class Kind { network, local_socket, program, process, signal, look, system, read, write, start };
    Kind kind = Kind::system;
    std::string path;  // of a file that it tried to read, write or start
    int call = 0;      // the number of the system call, of kind `system`

    auto operator<=>(const Attempt&) const = default;  // NOLINT(modernize-use-nullptr): the check is wrong here
};

// "tried to reach the network", "tried to read '/home/jane/x'".
std::string text_of(const Attempt& attempt);

}  // namespace cultivar
