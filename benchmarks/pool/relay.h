// A relay between clients and a server on loopback that counts the bytes both ways.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "pool/util/result.h"

namespace cultivar {

// Returns a loopback port that nothing listens on now. Errors: io.
Result<int> free_port();
// Returns whether something listens on this port.
bool answers(int port);

class Relay {
public:
    struct Traffic {
        std::int64_t sent_bytes = 0;      // by clients
        std::int64_t received_bytes = 0;  // by clients
    };

    // Listens on a port of its own and relays every connection to `server_port`. Errors: io.
    static Result<std::unique_ptr<Relay>> start(int server_port);
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;
    ~Relay();  // closes every connection

    int port() const { return port_; }
    Traffic traffic() const { return {sent_, received_}; }  // since the start

private:
    Relay(int listener, int port, int server_port);
    void accept_all();
    void pass(int client);

    int listener_, port_, server_port_;
    std::atomic<bool> stop_ = false;
    std::atomic<int> open_ = 0;  // connections that are still open
    std::atomic<std::int64_t> sent_ = 0, received_ = 0;
    std::thread thread_;
};

}  // namespace cultivar
