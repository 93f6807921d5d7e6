// What the genes mean to the trainer: one typed value for the model, one for its optimizers, one for the data.
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
    double matrix_init_scale = 1, proj_init_scale = 0;  // of U(-1/sqrt(columns), 1/sqrt(columns))
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
    std::int64_t skips() const { return unet_skips ? layers / 2 : 0; }  // layers that push a skip; the rest pop them
    // Pairs of a head that are turned; the others carry no position.
    std::int64_t rotated_pairs() const;
    // The block whose weights layer i uses. none: i; cyclic: i mod u; mirrored: layer layers-1-i has the block of
    // layer i, the first half being cyclic.
    std::int64_t block_of(std::int64_t layer) const;
    // Blocks that have weights: those that some layer uses.
    std::int64_t blocks() const;
    // Forward FLOPs a token: 2 x the parameters of every matrix product passed through (a shared block as often as it
    // is used, the output head included) + causal attention, (seq_len + 1) / 2 keys on average.
    double forward_flops_per_token() const;
};

enum class Method { muon, adamw };
enum class Averaging { none, ema, swa };

struct OptimConfig {
    Method method = Method::muon;
    double matrix_lr = 0, scalar_lr = 0;  // matrix_lr is that of the method
    double embed_lr = 0, head_lr = 0;     // embed_lr is that of the tied embedding when it is tied
    double muon_momentum = 0, muon_momentum_start = 0;
    std::int64_t muon_momentum_warmup_steps = 0;
    std::int64_t muon_steps = 0;
    double beta1 = 0, beta2 = 0, adam_eps = 1e-8;
    double matrix_decay = 0, embed_decay = 0;  // decoupled: w -= rate * decay * w
    double grad_clip = 0;                      // 0: off
    Averaging averaging = Averaging::none;
    double ema_decay = 0;
    double swa_share = 0;  // of the budget, at its end
};

struct ScheduleConfig {
    std::int64_t warmup_steps = 0;
    bool warmdown_by_share = false;
    std::int64_t warmdown_steps = 0;  // unless by share
    double warmdown_share = 0;        // of the budget
    double min_rate = 0;
};

struct ArtifactConfig {
    std::int64_t attn_bits = 8, mlp_bits = 8, embed_bits = 8;  // 16: half precision
    double clip_quantile = 0.9999984;
    bool scale_floor = true;
    double qat_share = 0;  // of the budget, at its end
    Compressor compressor = Compressor::zstd;
};

struct LmConfig {
    ModelConfig model;
    OptimConfig optim;
    ScheduleConfig schedule;
    ArtifactConfig artifact;
    std::int64_t tokens_per_step = 0;
};

// Genes that are missing have the table's default (a pool may be older than this trainer); a gene that the table lacks
// is an error, since this trainer cannot honour it. A pool may have widened ranges, so only what the trainer itself
// cannot do is refused. Errors: usage.
Result<LmConfig> read_lm_config(const Genes& genes, std::int64_t vocabulary);

}  // namespace cultivar
