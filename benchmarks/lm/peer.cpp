#include "benchmarks/lm/peer.h"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "train/lm/config/tensor_layout.h"

namespace cultivar {
namespace {

using nlohmann::ordered_json;

const char* start_word(Start start) {
    switch (start) {
        case Start::uniform:
            return "uniform";
        case Start::normal:
            return "normal";
        case Start::constant:
            break;
    }
    return "constant";
}

ordered_json describe(const LmConfig& config) {
    const ModelConfig& model = config.model;
    ordered_json tensors = ordered_json::array(), blocks = ordered_json::array();
    for (const TensorPlace& place : make_layout(model).tensors) {
        tensors.push_back({{"name", place.name},
                           {"shape", place.shape},
                           {"group", static_cast<int>(place.group)},
                           {"start", start_word(place.start)},
                           {"fill", place.fill}});
    }
    for (std::int64_t layer = 0; layer < model.layers; ++layer) blocks.push_back(model.block_of(layer));
    return {{"vocabulary", model.vocabulary},
            {"seq_len", model.seq_len},
            {"tokens_per_step", config.tokens_per_step},
            {"width", model.width},
            {"heads", model.heads},
            {"kv_heads", model.kv_heads},
            {"mlp", model.mlp == Mlp::swiglu ? "swiglu"
                    : model.mlp == Mlp::gelu ? "gelu"
                                             : "relu2"},
            {"rope_base", model.rope_base},
            {"logit_softcap", model.logit_softcap},
            {"block_of", blocks},
            {"tensors", tensors},
            {"rates", {config.optim.matrix_lr, config.optim.embed_lr, config.optim.head_lr, config.optim.scalar_lr}},
            {"momentum",
             {config.optim.muon_momentum_start, config.optim.muon_momentum,
              static_cast<double>(config.optim.muon_momentum_warmup_steps)}},
            {"newton_schulz", config.optim.muon_steps},
            {"betas", {config.optim.beta1, config.optim.beta2}},
            {"adam_eps", config.optim.adam_eps},
            {"grad_clip", config.optim.grad_clip}};
}

std::vector<std::string> environment(const std::string& blas_folder) {
    std::vector<std::string> words;
    for (char** word = environ; *word; ++word) {
        if (blas_folder.empty() || !std::string_view(*word).starts_with("LD_LIBRARY_PATH=")) words.emplace_back(*word);
    }
    if (!blas_folder.empty()) words.push_back("LD_LIBRARY_PATH=" + blas_folder);
    return words;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> all;
    for (std::string& word : words) all.push_back(word.data());
    all.push_back(nullptr);
    return all;
}

}  // namespace

Result<Peer> Peer::start(const std::string& python, const LmConfig& config, const std::string& device, int threads,
                         const std::string& blas_folder) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return fail(Code::io, fmt::format("cannot make a socket: {}", std::strerror(errno)));
    }
    Peer peer;
    peer.socket_ = ends[0];
    std::vector<std::string> words{python, CULTIVAR_PEER, describe(config).dump(), std::to_string(threads), device};
    std::vector<std::string> variables = environment(blas_folder);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    const int reason = ::posix_spawnp(&peer.pid_, python.c_str(), &actions, nullptr, pointers(words).data(),
                                      pointers(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (reason == 0) return peer;
    peer.pid_ = -1;
    return fail(reason == ENOENT ? Code::not_found : Code::io,
                fmt::format("cannot start '{}': {}", python, std::strerror(reason)));
}

Peer::Peer(Peer&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      socket_(std::exchange(other.socket_, -1)),
      unread_(std::move(other.unread_)) {}

Peer::~Peer() {
    if (socket_ >= 0) ::close(socket_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
}

Result<ordered_json> Peer::ask(const std::string& command) {
    const std::string line = command + "\n";
    if (::send(socket_, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
        return fail(Code::io, "the peer is gone");
    }
    std::size_t end = 0;
    while ((end = unread_.find('\n')) == std::string::npos) {
        char bytes[4096];
        const ssize_t count = ::read(socket_, bytes, sizeof bytes);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return fail(Code::io, fmt::format("the peer ended while asked to '{}'", command));
        unread_.append(bytes, static_cast<std::size_t>(count));
    }
    ordered_json answer = ordered_json::parse(unread_.substr(0, end), nullptr, false);
    unread_.erase(0, end + 1);
    if (answer.is_discarded()) return fail(Code::corrupt, "the peer's answer is not JSON");
    return answer;
}

}  // namespace cultivar
