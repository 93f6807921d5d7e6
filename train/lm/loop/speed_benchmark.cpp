#include "train/lm/loop/speed_benchmark.h"

#include <algorithm>

#include "pool/util/clock.h"
#include "pool/util/sha256.h"
#include "train/lm/loop/stepper.h"
#include "train/lm/ops/parallel_lanes.h"
#include "train/lm/ops/work_time.h"

namespace cultivar {
namespace {

// Short ones, of which the best is the least disturbed. By processor time, they do not depend on other processes either.
constexpr int kPieces = 12;
constexpr double kPiece_s = 0.15;
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

constexpr std::int64_t kSignatureVocabulary = 256, kSignatureSteps = 8;
constexpr double kSignatureStep_s = 0.5, kSignatureBudget_s = 5;

Genes signature_genes() {
    return {{"model.layers", std::int64_t{4}},
            {"model.width", std::int64_t{64}},
            {"model.heads", std::int64_t{4}},
            {"model.kv_heads", std::int64_t{2}},
            {"model.mlp", std::string("relu2")},
            {"data.seq_len", std::int64_t{128}},
            {"data.tokens_per_step", std::int64_t{4096}}};
}

// A text with something to learn: each token follows from the one before and the position. Its period is no power of
// two, so that no two micro-batches are the same.
std::vector<std::int64_t> signature_text(std::int64_t size) {
    std::vector<std::int64_t> tokens(static_cast<std::size_t>(size), 1);
    for (std::size_t i = 1; i < tokens.size(); ++i) {
        tokens[i] = (5 * tokens[i - 1] + static_cast<std::int64_t>(i % 11)) % 251;
    }
    return tokens;
}

}  // namespace

// Runs one micro-batch in each lane at a time.
double training_flops_per_s(at::Device device) {
    const std::int64_t lanes = device.is_cpu() ? at::get_num_threads() : 1;
    Model model(workload(), lanes, ops_for(device), device);
    model.initialise(0);
    std::vector<std::int64_t> tokens(static_cast<std::size_t>(kRows * model.config().seq_len + 1));
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<std::int64_t>(i * 2654435761U >> 7) % 1024;
    const auto pass = [&] { run_lanes(lanes, [&](std::int64_t lane) { model.accumulate(lane, tokens, 1e-3); }); };
    const double flops =
        3 * model.config().forward_flops_per_token() * static_cast<double>(lanes * kRows * model.config().seq_len);
    const auto now_s = [&] { return device.is_cpu() ? work_s() : SystemClock().now_s(); };
    pass();
    double best = 0;
    for (int piece = 0; piece < kPieces; ++piece) {
        const double began_s = now_s();
        double passes = 0;
        while (passes == 0 || now_s() - began_s < kPiece_s) {
            pass();
            ++passes;
        }
        best = std::max(best, passes * flops / (now_s() - began_s));
    }
    return best;
}

Signature run_signature() {
    Stepper stepper(read_lm_config(signature_genes(), kSignatureVocabulary).value());
    stepper.start(1);
    const std::int64_t tokens = stepper.plan().tokens;
    const std::vector<std::int64_t> text = signature_text(kSignatureSteps * tokens + 1);
    Signature signature;
    for (std::int64_t step = 0; step < kSignatureSteps; ++step) {
        const auto part = std::span(text).subspan(static_cast<std::size_t>(step * tokens));
        stepper.accumulate(part, stepper.plan().batches, [] { return false; });
        signature.losses.push_back(stepper.loss());
        stepper.update(step, static_cast<double>(step) * kSignatureStep_s, kSignatureBudget_s);
    }
    const auto* bits = reinterpret_cast<const char*>(signature.losses.data());
    signature.digest = sha256_hex({bits, signature.losses.size() * sizeof(double)}).substr(0, 16);
    return signature;
}

}  // namespace cultivar
