// The other side of the comparison: peer.py, the same model and optimizers in plain PyTorch, in a separate process.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>
#include <nlohmann/json.hpp>

#include "train/lm/config/lm_config.h"

namespace cultivar {

class Peer {
public:
    // Starts `python` with peer.py for this model and number of threads. If `blas_folder` is not empty, the peer uses
    // libblas.so.3 from there. Its messages go to standard error. Errors: io, not_found (no such python).
    static Result<Peer> start(const std::string& python, const LmConfig& config, const std::string& device, int threads,
                              const std::string& blas_folder);

    Peer(Peer&& other) noexcept;
    Peer& operator=(Peer&&) = delete;
    ~Peer();  // ends the process, also while it works

    // Sends one command to peer.py and returns its answer. Errors: io (the peer ended), corrupt.
    Result<nlohmann::ordered_json> ask(const std::string& command);

private:
    Peer() = default;
    pid_t pid_ = -1;
    int socket_ = -1;
    std::string unread_;
};

}  // namespace cultivar
