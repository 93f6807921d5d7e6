#include "benchmarks/pool/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr int kPoll_ms = 50;
constexpr std::size_t kPiece = 256 * 1024;

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

int connected(int port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    if (descriptor >= 0 && ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return descriptor;
    if (descriptor >= 0) ::close(descriptor);
    return -1;
}

// Opens a listening socket on a port that the kernel chooses.
Result<std::pair<int, int>> listening() {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    if (descriptor >= 0 && ::bind(descriptor, plain, size) == 0 && ::listen(descriptor, 64) == 0 &&
        ::getsockname(descriptor, plain, &size) == 0)
        return std::pair(descriptor, static_cast<int>(ntohs(address.sin_port)));
    if (descriptor >= 0) ::close(descriptor);
    return fail(Code::io, fmt::format("cannot listen on loopback: {}", std::strerror(errno)));
}

bool send_all(int to, const char* data, std::size_t size) {
    while (size > 0) {
        const ssize_t gone = ::send(to, data, size, MSG_NOSIGNAL);
        if (gone <= 0) return false;
        data += gone;
        size -= static_cast<std::size_t>(gone);
    }
    return true;
}

}  // namespace

Result<int> free_port() {
    TRY_ASSIGN(const auto found, listening());
    ::close(found.first);
    return found.second;
}

bool answers(int port) {
    const int descriptor = connected(port);
    if (descriptor >= 0) ::close(descriptor);
    return descriptor >= 0;
}

Result<std::unique_ptr<Relay>> Relay::start(int server_port) {
    TRY_ASSIGN(const auto found, listening());
    return std::unique_ptr<Relay>(new Relay(found.first, found.second, server_port));
}

Relay::Relay(int listener, int port, int server_port)
    : listener_(listener), port_(port), server_port_(server_port), thread_([this] { accept_all(); }) {}

Relay::~Relay() {
    stop_ = true;
    thread_.join();
    while (open_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ::close(listener_);
}

void Relay::accept_all() {
    pollfd waiting{listener_, POLLIN, 0};
    while (!stop_) {
        if (::poll(&waiting, 1, kPoll_ms) <= 0) continue;
        const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) continue;
        ++open_;
        std::thread([this, client] {
            pass(client);
            --open_;
        }).detach();
    }
}

// Relays until both sides have closed.
void Relay::pass(int client) {
    const int server = connected(server_port_);
    std::array<pollfd, 2> ends{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    std::vector<char> piece(kPiece);
    int talking = server >= 0 ? 2 : 0;
    while (talking > 0 && !stop_) {
        if (::poll(ends.data(), ends.size(), kPoll_ms) <= 0) continue;
        for (std::size_t from = 0; from < ends.size(); ++from) {
            if (ends[from].fd < 0 || ends[from].revents == 0) continue;
            const int to = from == 0 ? server : client;
            const ssize_t got = ::recv(ends[from].fd, piece.data(), piece.size(), 0);
            if (got > 0) (from == 0 ? sent_ : received_) += got;
            if (got > 0 && send_all(to, piece.data(), static_cast<std::size_t>(got))) continue;
            ::shutdown(to, SHUT_WR);
            ends[from].fd = -1;
            --talking;
        }
    }
    ::close(client);
    if (server >= 0) ::close(server);
}

}  // namespace cultivar
