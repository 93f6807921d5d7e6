// Typed configuration of the trainer, read from the genes: model, optimizers, schedule, artifact.
#pragma once

#include <cstdint>

#include "eval/formats/compression.h"
#include "pool/types/search_space.h"
#include "pool/util/result.h"

namespace cultivar {

enum class Mlp { relu2, gelu, swiglu };
enum class Sharing { none, cyclic, mirrored };
enum class NormPlacement { pre, sandwich, post };  // x + f(norm x); x + norm(f(norm x)); norm(x + f(x))

struct ModelConfig {
    std::int64_t layers = 0;
    std::int64_t width = 0;
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t mlp_mult = 0;
    std::int64_t unique_layers = 0;
    std::int64_t vocabulary = 0;
    std::int64_t seq_len = 0;
    Mlp mlp = Mlp::relu2;
    Sharing sharing = Sharing::none;
    bool tied_embedding = true;
    double embed_init_std = 0;
    double matrix_init_scale = 1, proj_init_scale = 0;  // factors of U(-1/sqrt(columns), 1/sqrt(columns))
    double rope_base = 0;
    double rope_share = 1;
    bool qk_norm = true;
    double qk_gain = 0;
    double logit_softcap = 0;
    NormPlacement norm_placement = NormPlacement::pre;
    bool unet_skips = true;
    bool resid_mix = true;
    bool value_residual = false;
    bool smear_gate = false;
    std::int64_t bigram_buckets = 0;  // 0: no bigram embedding
    std::int64_t bigram_width = 0;

    std::int64_t head_dim() const { return width / heads; }
    std::int64_t kv_width() const { return kv_heads * head_dim(); }
    std::int64_t hidden() const { return width * mlp_mult; }
    std::int64_t skips() const { return unet_skips ? layers / 2 : 0; }  // layers that push a skip; the others pop them
    // Pairs of a head that rotary positions rotate; the others carry no position.
    std::int64_t rotated_pairs() const;
    // The block that gives layer i its weights. none: i; cyclic: i mod u; mirrored: layer layers-1-i has the block of
    // layer i, and the first half is cyclic.
    std::int64_t block_of(std::int64_t layer) const;
    // Number of blocks with weights: those that some layer uses.
    std::int64_t blocks() const;
    // Forward FLOPs per token: 2 x the parameters of every matrix product passed through (a shared block counts as
    // often as it is used, and the output head is included) + causal attention with (seq_len + 1) / 2 keys on average.
    double forward_flops_per_token() const;
};

enum class Method { muon, adamw };
enum class Averaging { none, ema, swa };

struct OptimConfig {
    Method method = Method::muon;
    double matrix_lr = 0, scalar_lr = 0;  // matrix_lr belongs to the method
    double embed_lr = 0, head_lr = 0;     // embed_lr is the tied embedding's rate if it is tied
    double muon_momentum = 0, muon_momentum_start = 0;
    std::int64_t muon_momentum_warmup_steps = 0;
    std::int64_t muon_steps = 0;
    double beta1 = 0, beta2 = 0, adam_eps = 1e-8;
    double matrix_decay = 0, embed_decay = 0;  // decoupled: w -= rate * decay * w
    double grad_clip = 0;                      // 0: off
    Averaging averaging = Averaging::none;
    double ema_decay = 0;
    double swa_share = 0;  // the last share of the budget
};

struct ScheduleConfig {
    std::int64_t warmup_steps = 0;
    bool warmdown_by_share = false;
    std::int64_t warmdown_steps = 0;  // unused if warmdown_by_share
    double warmdown_share = 0;        // of the budget
    double min_rate = 0;
};

struct ArtifactConfig {
    std::int64_t attn_bits = 8, mlp_bits = 8, embed_bits = 8;  // 16: half precision
    double clip_quantile = 0.9999984;
    bool scale_floor = true;
    double qat_share = 0;  // the last share of the budget
    Compressor compressor = Compressor::zstd;
};

struct LmConfig {
    ModelConfig model;
    OptimConfig optim;
    ScheduleConfig schedule;
    ArtifactConfig artifact;
    std::int64_t tokens_per_step = 0;
};

// A missing gene has the table's default (a pool may be older than this trainer). A gene that the table lacks is an
// error, since this trainer cannot honour it. A pool may have widened ranges, so only values that the trainer cannot
// handle are refused. Errors: usage.
Result<LmConfig> read_lm_config(const Genes& genes, std::int64_t vocabulary);

}  // namespace cultivar
