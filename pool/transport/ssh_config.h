// Resolves an ssh URL with the user's ssh (`ssh -G`, so ~/.ssh/config counts) or, without one, by itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

struct SshHost {
    std::string user, host, port;
    std::string path;                     // on the host; begins with '/' or is relative to the home folder
    std::vector<std::string> identities;  // files of private keys that may exist

    // As libgit2 takes it.
    std::string url() const;
};

// ssh://[user@]host[:port]/path or [user@]host:path; nothing for any other URL. A host that looks like an option is none.
std::optional<SshHost> parse_ssh_url(const std::string& url);

// Fills in the settings of the user's ssh. `ssh_command`: a shell command, such as GIT_SSH_COMMAND. Errors: git (the
// host is reached through another, which libgit2 cannot do).
Result<SshHost> resolve(SshHost host, const std::string& ssh_command);

}  // namespace cultivar
