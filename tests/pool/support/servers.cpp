#include "tests/pool/support/servers.h"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace cultivar {
namespace {

namespace fs = std::filesystem;

constexpr int kTries = 5;
constexpr int kWaits = 500;  // of 20 ms

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string me() { return ::getpwuid(::geteuid())->pw_name; }

struct Listener {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port = 0;
    Listener() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* raw = reinterpret_cast<sockaddr*>(&address);
        if (::bind(fd, raw, size) != 0 || ::listen(fd, 8) != 0 || ::getsockname(fd, raw, &size) != 0)
            throw std::runtime_error("cannot listen on loopback");
        port = ntohs(address.sin_port);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() { ::close(fd); }
};

bool answers(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool good = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return good;
}

// Starts a server program on a free port; takes another port if it does not start.
class Program : public Server {
public:
    using Command = std::function<std::vector<std::string>(int port)>;

    explicit Program(const Command& command) {
        for (int tries = 0; tries < kTries && !child_; ++tries) {
            port_ = Listener().port;
            start(command(port_));
        }
        if (!child_) throw std::runtime_error("the server does not come up: " + said_);
    }

protected:
    int port() const { return port_; }

private:
    void start(const std::vector<std::string>& argv) {
        auto child = std::make_unique<Child>(must(Child::start(argv, 0)));
        for (int waits = 0; waits < kWaits && !child->has_ended(); ++waits) {
            if (answers(port_)) {
                child_ = std::move(child);
                return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        char buffer[4096];
        const ssize_t got = ::read(child->error_output(), buffer, sizeof buffer);
        said_ = got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : "";
    }

    int port_ = 0;
    std::unique_ptr<Child> child_;
    std::string said_;
};

class PlainPath : public Server {
public:
    std::string url(const std::string& repository) const override { return repository; }
};

class Daemon : public Program {
public:
    Daemon()
        : Program([](int port) -> std::vector<std::string> {
              return {"git",
                      "daemon",
                      "--reuseaddr",
                      "--listen=127.0.0.1",
                      fmt::format("--port={}", port),
                      "--export-all",
                      "--enable=receive-pack"};
          }) {}
    std::string url(const std::string& repository) const override {
        return fmt::format("git://127.0.0.1:{}{}", port(), repository);
    }
};

class Http : public Program {
public:
    explicit Http(const TempFolder& folder)
        : Program([&](int port) -> std::vector<std::string> {
              folder.write("passwords", "ann:s3cret pass\n");
              const std::string backend = first_line(shell("git --exec-path")) + "/git-http-backend";
              const std::string config = fmt::format(
                  "server.document-root = \"{0}\"\nserver.port = {1}\nserver.bind = \"127.0.0.1\"\n"
                  "server.modules = ( \"mod_auth\", \"mod_authn_file\", \"mod_alias\", \"mod_setenv\", \"mod_cgi\" )\n"
                  "server.errorlog = \"{0}/lighttpd.log\"\nserver.upload-dirs = ( \"{0}\" )\n"
                  "auth.backend = \"plain\"\nauth.backend.plain.userfile = \"{0}/passwords\"\n"
                  "auth.require = ( \"/git/\" => ( \"method\" => \"basic\", \"realm\" => \"pool\", "
                  "\"require\" => \"valid-user\" ) )\n"
                  "alias.url = ( \"/git\" => \"{2}\" )\n"
                  "$HTTP[\"url\"] =~ \"^/git\" {{\n  cgi.assign = ( \"\" => \"\" )\n"
                  "  setenv.add-environment = ( \"GIT_PROJECT_ROOT\" => \"/\", \"GIT_HTTP_EXPORT_ALL\" => \"1\", "
                  "\"GIT_CONFIG_NOSYSTEM\" => \"1\", \"HOME\" => \"{0}\" )\n}}\n",
                  folder.path(), port, backend);
              return {"/usr/sbin/lighttpd", "-D", "-f", folder.write("lighttpd.conf", config)};
          }) {}
    std::string url(const std::string& repository) const override {
        return fmt::format("http://127.0.0.1:{}/git{}", port(), repository);
    }
};

class Ssh : public Program {
public:
    Ssh(const TempFolder& folder, const Home& home)
        : Program([&](int port) -> std::vector<std::string> {
              if (!fs::exists(folder.file("host_key")))
                  shell("ssh-keygen -q -t ed25519 -N '' -f " + folder.file("host_key"));
              const std::string config = fmt::format(
                  "ListenAddress 127.0.0.1\nPort {1}\nHostKey {0}/host_key\nPidFile none\nUsePAM no\nStrictModes no\n"
                  "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxAuthTries 20\n"
                  "AuthorizedKeysFile {2}\n",
                  folder.path(), port, home.path("authorized_keys"));
              if (::geteuid() == 0) fs::create_directories("/run/sshd");  // sshd insists
              return {"/usr/sbin/sshd", "-D", "-e", "-f", folder.write("sshd_config", config)};
          }) {
        const std::string key = first_line(folder.read("host_key.pub"));
        home.append(".ssh/known_hosts", fmt::format("[127.0.0.1]:{} {}\n", port(), key));
        home.append(".ssh/config", fmt::format("Host hub\n  HostName 127.0.0.1\n  Port {}\n  User {}\n", port(), me()));
    }
    std::string url(const std::string& repository) const override {
        return fmt::format("ssh://{}@127.0.0.1:{}{}", me(), port(), repository);
    }
};

// False if the peer has closed the connection.
bool send_all(int fd, const std::string& bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t sent = ::write(fd, bytes.data() + done, bytes.size() - done);
        if (sent <= 0) return false;
        done += static_cast<std::size_t>(sent);
    }
    return true;
}

bool hear_something(int fd) {
    char asked[4096];
    return ::read(fd, asked, sizeof asked) > 0;
}

void misbehave_to(int fd, const FakeServer::Behaviour& behaviour) {
    for (const std::string& turn : behaviour.turns) {
        if (!hear_something(fd) || !send_all(fd, turn)) return;
    }
    while (behaviour.then == FakeServer::Then::flood && send_all(fd, behaviour.more())) {
    }
    if (behaviour.then == FakeServer::Then::close) ::shutdown(fd, SHUT_WR);
    while (hear_something(fd)) {
    }
}

[[noreturn]] void misbehave(int listener, const FakeServer::Behaviour& behaviour) {
    ::signal(SIGPIPE, SIG_IGN);
    for (;;) {
        const int fd = ::accept(listener, nullptr, nullptr);
        if (fd < 0) ::_exit(1);
        if (::fork() == 0) {
            misbehave_to(fd, behaviour);
            ::_exit(0);
        }
        ::close(fd);
    }
}

}  // namespace

std::unique_ptr<Transport> transport(By by, const std::string& git_dir, const TransportLimits& limits) {
    return by == By::program ? git_cli_transport(git_dir, {}, limits) : libgit2_transport(git_dir, {}, limits);
}

ServerSetting::ServerSetting(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* before = std::getenv(name_.c_str())) before_ = before;
    ::setenv(name_.c_str(), value.c_str(), 1);
}

ServerSetting::~ServerSetting() {
    if (before_) {
        ::setenv(name_.c_str(), before_->c_str(), 1);
    } else {
        ::unsetenv(name_.c_str());
    }
}

Home::Home(const TempFolder& folder)
    : path_(folder.file("home")),
      home_("HOME", path_),
      ssh_command_("GIT_SSH_COMMAND", "ssh -F " + path_ + "/.ssh/config"),
      agent_("SSH_AUTH_SOCK", path_ + "/no-agent") {
    fs::create_directories(path(".ssh"));
    append(".ssh/config", "");
}

void Home::append(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::app) << text;
    fs::permissions(path(name), fs::perms::owner_read | fs::perms::owner_write);
}

std::string Home::make_key(const std::string& name, const std::string& type) const {
    shell(fmt::format("ssh-keygen -q -t {} -N '' -f {}", type, path(name)));
    return path(name);
}

std::string missing_for(Serve how) {
    if (how == Serve::http && !fs::exists("/usr/sbin/lighttpd")) return "lighttpd is not installed";
    if (how == Serve::ssh && !fs::exists("/usr/sbin/sshd")) return "openssh-server is not installed";
    return {};
}

std::unique_ptr<Server> serve(Serve how, const TempFolder& folder, const Home& home) {
    switch (how) {
        case Serve::daemon:
            return std::make_unique<Daemon>();
        case Serve::http:
            return std::make_unique<Http>(folder);
        case Serve::ssh:
            return std::make_unique<Ssh>(folder, home);
        case Serve::path:
            break;
    }
    return std::make_unique<PlainPath>();
}

std::string http_url_with(const std::string& url, const std::string& user_and_password) {
    std::string with = url;
    return with.insert(with.find("://") + 3, user_and_password + "@");
}

FakeServer::FakeServer(Behaviour behaviour) {
    Listener listener;
    port_ = listener.port;
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::setpgid(0, 0);
    misbehave(listener.fd, behaviour);
}

FakeServer::~FakeServer() {
    ::setpgid(pid_, pid_);
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

std::string pkt_line(const std::string& text) { return fmt::format("{:04x}{}", text.size() + 4, text); }

}  // namespace cultivar
