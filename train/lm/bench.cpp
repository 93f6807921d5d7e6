#include "train/lm/bench.h"

#include <algorithm>

#include "train/clock.h"
#include "train/lm/lanes.h"
#include "train/lm/model.h"

namespace cultivar {
namespace {

constexpr int kPieces = 3;
constexpr double kPiece_s = 0.6;
constexpr std::int64_t kRows = 2;

ModelConfig workload() {
    ModelConfig config;
    config.layers = 4;
    config.width = 256;
    config.heads = 4;
    config.kv_heads = 2;
    config.mlp_mult = 2;
    config.vocabulary = 1024;
    config.seq_len = 512;
    config.embed_init_std = 0.02;
    config.rope_base = 1e4;
    config.qk_gain = 1.5;
    config.logit_softcap = 30;
    return config;
}

double now_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

// One micro-batch in each lane at a time.
double training_flops_per_s() {
    const std::int64_t lanes = at::get_num_threads();
    Model model(workload(), lanes);
    model.initialise(0);
    std::vector<std::int64_t> tokens(static_cast<std::size_t>(kRows * model.config().seq_len + 1));
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<std::int64_t>(i * 2654435761U >> 7) % 1024;
    const auto pass = [&] { run_lanes(lanes, [&](std::int64_t lane) { model.accumulate(lane, tokens, 1e-3); }); };
    const double flops =
        3 * model.config().forward_flops_per_token() * static_cast<double>(lanes * kRows * model.config().seq_len);
    pass();
    double best = 0;
    for (int piece = 0; piece < kPieces; ++piece) {
        const double began_s = now_s();
        double passes = 0;
        while (now_s() - began_s < kPiece_s) {
            pass();
            ++passes;
        }
        best = std::max(best, passes * flops / (now_s() - began_s));
    }
    return best;
}

}  // namespace cultivar
