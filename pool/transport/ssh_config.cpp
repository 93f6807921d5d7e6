#include "pool/transport/ssh_config.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "pool/process/communicate.h"

namespace cultivar {
namespace {

constexpr double kAsk_s = 10;

std::string login_name() {
    const passwd* entry = ::getpwuid(::geteuid());
    return entry ? entry->pw_name : "git";
}

std::string home() {
    const char* folder = std::getenv("HOME");
    return folder ? folder : "";
}

// "user@[host]:port" in its parts; user and port may be absent.
bool split_authority(std::string text, SshHost& into) {
    if (std::size_t at = text.rfind('@'); at != std::string::npos) {
        into.user = text.substr(0, text.find(':') < at ? text.find(':') : at);
        text.erase(0, at + 1);
    }
    std::size_t end = text.starts_with('[') ? text.find(']') : text.find(':');
    if (text.starts_with('[')) {
        if (end == std::string::npos) return false;
        into.host = text.substr(1, end - 1);
        end = end + 1 < text.size() ? end + 1 : std::string::npos;
    } else {
        into.host = text.substr(0, end);
    }
    if (end != std::string::npos) into.port = text.substr(end + 1);
    const bool digits = std::all_of(into.port.begin(), into.port.end(), [](char c) { return c >= '0' && c <= '9'; });
    return digits && !into.host.empty() && into.host[0] != '-' && (into.user.empty() || into.user[0] != '-');
}

// The output of `ssh -G`; "" if there is no ssh, or it does not know -G.
std::string ask_ssh(const SshHost& host, const std::string& ssh_command) {
    std::vector<std::string> argv = {"sh", "-c", ssh_command + " -G \"$@\"", "ssh"};
    if (!host.port.empty()) argv.insert(argv.end(), {"-p", host.port});
    if (!host.user.empty()) argv.insert(argv.end(), {"-l", host.user});
    argv.insert(argv.end(), {"--", host.host});
    auto child = Child::start(argv, 0);
    if (!child) return {};
    CommunicateLimits limits;
    limits.silence_s = limits.total_s = kAsk_s;
    auto output = communicate(*child, limits, {});
    return output && output->exit_code == 0 ? output->out : std::string();
}

}  // namespace

std::string SshHost::url() const {
    const bool address6 = host.find(':') != std::string::npos;
    const std::string there = address6 ? "[" + host + "]" : host;
    if (path.starts_with('/')) return fmt::format("ssh://{}@{}:{}{}", user, there, port, path);
    if (port == "22") return fmt::format("{}@{}:{}", user, there, path);
    return fmt::format("[{}@{}:{}]:{}", user, there, port, path);
}

std::optional<SshHost> parse_ssh_url(const std::string& url) {
    SshHost host;
    std::size_t start = 0, slash = 0;
    if (std::size_t scheme = url.find("://"); scheme != std::string::npos) {
        const std::string name = url.substr(0, scheme);
        if (name != "ssh" && name != "git+ssh" && name != "ssh+git") return {};
        start = scheme + 3;
        slash = url.find('/', start);
        if (slash == std::string::npos) return {};
        host.path = url.substr(slash);
        if (host.path.starts_with("/~")) host.path.erase(0, 1);
    } else {
        std::size_t from = url.find(']');
        if (!url.starts_with('[') && url.find("@[") == std::string::npos) from = 0;
        slash = from == std::string::npos ? from : url.find(':', from);
        if (slash == std::string::npos || slash == 0 || url.find('/') < slash) return {};
        host.path = url.substr(slash + 1);
    }
    std::string authority = url.substr(start, slash - start);
    if (start == 0 && authority.starts_with('[') && authority.ends_with(']') &&
        authority.find('@') != std::string::npos)
        authority = authority.substr(1, authority.size() - 2);  // "[user@host:port]:path"
    if (!split_authority(authority, host) || host.path.empty()) return {};
    return host;
}

Result<SshHost> resolve(SshHost host, const std::string& ssh_command) {
    const std::string alias = host.host;
    std::istringstream lines(ask_ssh(host, ssh_command));
    for (std::string line; std::getline(lines, line);) {
        const std::size_t space = line.find(' ');
        if (space == std::string::npos) continue;
        const std::string key = line.substr(0, space), value = line.substr(space + 1);
        if (key == "hostname") host.host = value;
        if (key == "user") host.user = value;
        if (key == "port") host.port = value;
        if (key == "identityfile")
            host.identities.push_back(value.starts_with("~/") ? home() + value.substr(1) : value);
        if ((key == "proxycommand" || key == "proxyjump") && value != "none")
            return fail(Code::git,
                        fmt::format("'{}' is reached through another host, which needs the git program", alias),
                        "apt-get install git");
    }
    if (host.user.empty()) host.user = login_name();
    if (host.port.empty()) host.port = "22";
    if (host.identities.empty()) {
        for (const char* name : {"id_ed25519", "id_ecdsa", "id_rsa"})
            host.identities.push_back(home() + "/.ssh/" + name);
    }
    std::erase_if(host.identities, [](const std::string& file) {
        std::error_code ec;
        return !std::filesystem::exists(file, ec) && !ec;  // one that cannot be looked at is told when it is used
    });
    return host;
}

}  // namespace cultivar
