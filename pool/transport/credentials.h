// Answers libgit2's questions for credentials and for the validity of a host. Never prompts.
//
// ssh: the agent, then each key file. http: user and password of the URL (libgit2 does that itself), then the
// credential helpers of the user's git configuration, in their own protocol. Host keys must be in ~/.ssh/known_hosts,
// certificates valid.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <git2.h>

#include "pool/transport/ssh_config.h"
#include "pool/util/result.h"

namespace cultivar {

class Credentials {
public:
    // `url`: the remote's, as libgit2 is given it; only its own host is told anything.
    Credentials(std::string url, std::optional<SshHost> ssh, std::vector<std::string> helpers);

    // The two callbacks. An error is kept for trouble().
    int answer(git_credential** out, const char* url, const char* user, unsigned allowed);
    int check_host(const git_cert* cert, bool valid, const char* host);

    const std::optional<Error>& trouble() const { return trouble_; }

private:
    int next_key(git_credential** out);
    int ask_helpers(git_credential** out, const std::string& url, const std::string& user);
    int give_up(Error why);

    std::string url_;
    std::optional<SshHost> ssh_;
    std::vector<std::string> keys_, helpers_;
    std::size_t tried_ = 0;  // of whichever the remote asks for
    std::optional<Error> trouble_;
};

// The commands of credential.helper and credential.<URL>.helper that concern `url`, as shell commands.
std::vector<std::string> credential_helpers(git_config* config, const std::string& url);

}  // namespace cultivar
