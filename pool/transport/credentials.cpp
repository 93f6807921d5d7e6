#include "pool/transport/credentials.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "pool/git/libgit2_handle.h"
#include "pool/process/communicate.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr double kHelper_s = 60;
constexpr const char* kAgent = "";  // among the files of keys

struct HttpPlace {
    std::string protocol, user, host, path;
};

HttpPlace place_of(const std::string& url) {
    HttpPlace place;
    std::size_t scheme = url.find("://");
    if (scheme == std::string::npos) return place;
    place.protocol = url.substr(0, scheme);
    std::size_t slash = std::min(url.find('/', scheme + 3), url.size());
    place.host = url.substr(scheme + 3, slash - scheme - 3);
    place.path = url.substr(slash);
    if (std::size_t at = place.host.rfind('@'); at != std::string::npos) {
        place.user = place.host.substr(0, std::min(place.host.find(':'), at));
        place.host.erase(0, at + 1);
    }
    return place;
}

bool concerns(const std::string& pattern, const HttpPlace& place) {
    const HttpPlace wanted = place_of(pattern);
    const std::string folder = wanted.path.ends_with('/') ? wanted.path : wanted.path + "/";
    return wanted.protocol == place.protocol && wanted.host == place.host &&
           (wanted.user.empty() || wanted.user == place.user) && (place.path + "/").starts_with(folder);
}

std::string shell_command(const std::string& helper) {
    if (helper.starts_with('!')) return helper.substr(1);
    return helper.starts_with('/') ? helper : "git-credential-" + helper;
}

std::string value_of(const std::string& answer, std::string_view key) {
    std::istringstream lines(answer);
    for (std::string line; std::getline(lines, line);) {
        if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == '=')
            return line.substr(key.size() + 1);
    }
    return {};
}

// libgit2 fails altogether if the variable names an agent that has ended.
bool agent_answers() {
    const char* path = std::getenv("SSH_AUTH_SOCK");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (!path || std::strlen(path) >= sizeof address.sun_path) return false;
    std::strcpy(address.sun_path, path);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool good = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return good;
}

// Most keys have a .pub file; an old private key names its kind.
bool is_rsa(const std::string& key_file) {
    std::string word, line;
    std::ifstream(key_file + ".pub") >> word;
    std::ifstream private_half(key_file);
    std::getline(private_half, line);
    return word == "ssh-rsa" || line.find("RSA PRIVATE KEY") != std::string::npos;
}

}  // namespace

std::vector<std::string> credential_helpers(git_config* config, const std::string& url) {
    struct Found {
        HttpPlace place;
        std::vector<std::string> commands;
    } found{place_of(url), {}};
    auto look = [](const git_config_entry* entry, void* payload) {
        auto& into = *static_cast<Found*>(payload);
        const std::string name = entry->name, value = entry->value ? entry->value : "";
        if (!name.starts_with("credential.") || !name.ends_with(".helper")) return 0;
        constexpr std::size_t kBefore = 11, kAfter = 7;  // "credential.", ".helper"
        if (name.size() > kBefore + kAfter &&
            !concerns(name.substr(kBefore, name.size() - kBefore - kAfter), into.place))
            return 0;
        if (value.empty()) {
            into.commands.clear();
        } else {
            into.commands.push_back(shell_command(value));
        }
        return 0;
    };
    git_config_foreach(config, look, &found);
    return found.commands;
}

Credentials::Credentials(std::string url, std::optional<SshHost> ssh, std::vector<std::string> helpers)
    : url_(std::move(url)), ssh_(std::move(ssh)), helpers_(std::move(helpers)) {
    if (!ssh_) return;
    if (agent_answers()) keys_.emplace_back(kAgent);
    keys_.insert(keys_.end(), ssh_->identities.begin(), ssh_->identities.end());
}

int Credentials::answer(git_credential** out, const char* url, const char* user, unsigned allowed) {
    if (allowed & GIT_CREDENTIAL_SSH_KEY) return next_key(out);
    if ((allowed & GIT_CREDENTIAL_USERNAME) && ssh_) return git_credential_username_new(out, ssh_->user.c_str());
    if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) && !ssh_) return ask_helpers(out, url, user ? user : "");
    return give_up({Code::git, "the remote asks for credentials of a kind that is not known here", ""});
}

// Called again and again until one is taken.
int Credentials::next_key(git_credential** out) {
    if (!ssh_) return GIT_PASSTHROUGH;
    if (tried_ < keys_.size()) {
        const std::string& key = keys_[tried_++];
        if (key == kAgent) return git_credential_ssh_key_from_agent(out, ssh_->user.c_str());
        return git_credential_ssh_key_new(out, ssh_->user.c_str(), nullptr, key.c_str(), nullptr);
    }
    std::string why = fmt::format("'{}@{}' rejected all SSH keys", ssh_->user, ssh_->host);
    if (std::any_of(keys_.begin(), keys_.end(), [](const auto& key) { return key == kAgent || is_rsa(key); }))
        why += "; an RSA key needs the git program, or libssh2 1.11";
    return give_up({Code::git, why, "ssh-keygen -t ed25519"});
}

int Credentials::ask_helpers(git_credential** out, const std::string& url, const std::string& user) {
    const HttpPlace place = place_of(url);
    if (place.protocol != place_of(url_).protocol || place.host != place_of(url_).host)
        return give_up({Code::git, "redirected to a place that asks for credentials", ""});
    const std::string who = user.empty() ? place.user : user;
    std::string request = fmt::format("protocol={}\nhost={}\n", place.protocol, place.host);
    if (!who.empty()) request += fmt::format("username={}\n", who);
    CommunicateLimits limits;
    limits.silence_s = limits.total_s = kHelper_s;
    while (tried_ < helpers_.size()) {
        const std::string& helper = helpers_[tried_++];
        auto child = Child::start({"env", "GIT_TERMINAL_PROMPT=0", "sh", "-c",
                                   fmt::format("printf '%s\\n' \"$1\" | {} get", helper), "sh", request},
                                  0);
        if (!child) continue;
        auto output = communicate(*child, limits, {});
        if (!output) continue;
        const std::string name = value_of(output->out, "username"), password = value_of(output->out, "password");
        if (password.empty() || (name.empty() && who.empty())) continue;
        return git_credential_userpass_plaintext_new(out, (name.empty() ? who : name).c_str(), password.c_str());
    }
    return give_up({Code::git,
                    helpers_.empty() ? "authentication failed, and no credential helper is configured"
                                     : "authentication failed with every credential helper",
                    "apt-get install git"});
}

int Credentials::check_host(const git_cert* cert, bool valid, const char* host) {
    if (valid) return 0;
    if (cert->cert_type == GIT_CERT_HOSTKEY_LIBSSH2) {
        give_up({Code::git, fmt::format("the host key of '{}' is not in known_hosts, or another", host),
                 fmt::format("ssh -p {} {}", shell_word(ssh_ ? ssh_->port : "22"), shell_word(host))});
    } else {
        give_up({Code::git, fmt::format("the certificate of '{}' is not valid", host), ""});
    }
    return GIT_ECERTIFICATE;
}

int Credentials::give_up(Error why) {
    trouble_ = std::move(why);
    git_error_set_str(GIT_ERROR_CALLBACK, trouble_->message.c_str());
    return GIT_EAUTH;
}

}  // namespace cultivar
