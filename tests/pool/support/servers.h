// Real servers on loopback, one per test: they run as this user, with their own port and configuration, and stop with
// the object.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pool/process/child_process.h"
#include "pool/transport/transport.h"
#include "tests/pool/support/world.h"

namespace cultivar {

enum class Serve { path, daemon, http, ssh };
enum class By { program, library };

std::unique_ptr<Transport> transport(By by, const std::string& git_dir, const TransportLimits& limits = {});

// Sets an environment variable and restores it at the end.
class ServerSetting {
public:
    ServerSetting(std::string name, const std::string& value);
    ServerSetting(const ServerSetting&) = delete;
    ServerSetting& operator=(const ServerSetting&) = delete;
    ~ServerSetting();

private:
    std::string name_;
    std::optional<std::string> before_;
};

// A home folder for git and ssh, so that the real one does not count. ssh itself always reads the real home folder;
// GIT_SSH_COMMAND names the configuration here.
class Home {
public:
    explicit Home(const TempFolder& folder);
    std::string path(const std::string& name) const { return path_ + "/" + name; }
    void append(const std::string& name, const std::string& text) const;
    // Makes a new key pair; returns the name of its private file.
    std::string make_key(const std::string& name, const std::string& type) const;

private:
    std::string path_;
    ServerSetting home_, ssh_command_, agent_;
};

// Returns "X is not installed" if this machine cannot serve this way, else "".
std::string missing_for(Serve how);

class Server {
public:
    virtual ~Server() = default;
    virtual std::string url(const std::string& repository) const = 0;  // `repository`: an absolute path
};

// http: user "ann", password "s3cret pass", not in the URL. ssh: accepts the keys in home's `authorized_keys`; its host
// key is in known_hosts, and the alias "hub" names it as well.
std::unique_ptr<Server> serve(Serve how, const TempFolder& folder, const Home& home);
std::string http_url_with(const std::string& url, const std::string& user_and_password);

// A server that follows the test's script for each connection: it reads, answers, and so on; then it closes the
// connection, stays silent or sends `more` for ever.
class FakeServer {
public:
    enum class Then { close, stay, flood };
    struct Behaviour {
        std::vector<std::string> turns;
        Then then;
        std::function<std::string()> more = {};
    };
    explicit FakeServer(Behaviour behaviour);
    FakeServer(const FakeServer&) = delete;
    FakeServer& operator=(const FakeServer&) = delete;
    ~FakeServer();
    int port() const { return port_; }

private:
    int port_ = 0;
    int pid_ = -1;
};

std::string pkt_line(const std::string& text);

}  // namespace cultivar
