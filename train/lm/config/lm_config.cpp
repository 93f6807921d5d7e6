#include "train/lm/config/lm_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/formats/bits_per_byte.h"
#include "train/lm/space/lm_search_space.h"

namespace cultivar {
namespace {

// Limits of the trainer itself, far above any sensible model: no size computed from them can overflow.
constexpr std::int64_t kMaxLayers = 1024;
constexpr std::int64_t kMaxWidth = 65536;
constexpr std::int64_t kMaxMlpMult = 64;
constexpr std::int64_t kMaxBuckets = 1 << 20;
constexpr std::int64_t kMaxVocabulary = 65536;
constexpr std::int64_t kMaxStepTokens = std::int64_t{1} << 30;
constexpr std::int64_t kMaxSteps = std::int64_t{1} << 40;

// Reads typed values and keeps the first error.
class Reader {
public:
    explicit Reader(Genes genes) : genes_(std::move(genes)) {}

    std::int64_t whole(const char* name, std::int64_t low, std::int64_t high) {
        const auto* value = std::get_if<std::int64_t>(&genes_.find(name)->second);
        if (!value) return complain(name, "is not a whole number"), low;
        if (*value < low || *value > high) return complain(name, fmt::format("is not in {}..{}", low, high)), low;
        return *value;
    }

    double real(const char* name, double low, double high) {
        const Value& held = genes_.find(name)->second;
        double value = NAN;
        if (const auto* exact = std::get_if<double>(&held)) value = *exact;
        if (const auto* whole_number = std::get_if<std::int64_t>(&held)) value = static_cast<double>(*whole_number);
        if (!std::isfinite(value)) return complain(name, "is not a number"), low;
        if (value < low || value > high) return complain(name, fmt::format("is not in {}..{}", low, high)), low;
        return value;
    }

    bool yes(const char* name) {
        const auto* value = std::get_if<bool>(&genes_.find(name)->second);
        if (!value) complain(name, "is neither true nor false");
        return value && *value;
    }

    template <typename Enum>
    Enum one_of(const char* name, std::initializer_list<std::pair<const char*, Enum>> choices) {
        const auto* word = std::get_if<std::string>(&genes_.find(name)->second);
        for (const auto& [text, meaning] : choices) {
            if (word && *word == text) return meaning;
        }
        complain(name, "is not a choice that this trainer knows");
        return choices.begin()->second;
    }

    void complain(const char* name, const std::string& what) {
        if (problem_.empty()) problem_ = fmt::format("gene '{}' {}", name, what);
    }

    const std::string& problem() const { return problem_; }

private:
    Genes genes_;
    std::string problem_;
};

Result<Genes> with_defaults(const Genes& genes) {
    Genes complete;
    for (const Gene& gene : lm_genes()) complete[gene.name] = gene.default_value;
    for (const auto& [name, value] : genes) {
        auto place = complete.find(name);
        if (place == complete.end()) return fail(Code::usage, fmt::format("this trainer has no gene '{}'", name));
        place->second = value;
    }
    return complete;
}

ModelConfig read_model(Reader& genes, std::int64_t vocabulary) {
    ModelConfig model;
    model.vocabulary = vocabulary;
    model.layers = genes.whole("model.layers", 1, kMaxLayers);
    model.width = genes.whole("model.width", 2, kMaxWidth);
    model.heads = genes.whole("model.heads", 1, kMaxWidth);
    model.kv_heads = genes.whole("model.kv_heads", 1, kMaxWidth);
    model.mlp = genes.one_of<Mlp>("model.mlp", {{"relu2", Mlp::relu2}, {"gelu", Mlp::gelu}, {"swiglu", Mlp::swiglu}});
    model.mlp_mult = genes.whole("model.mlp_mult", 1, kMaxMlpMult);
    model.sharing = genes.one_of<Sharing>(
        "model.sharing", {{"none", Sharing::none}, {"cyclic", Sharing::cyclic}, {"mirrored", Sharing::mirrored}});
    model.unique_layers = genes.whole("model.unique_layers", 1, kMaxLayers);
    model.tied_embedding = genes.yes("model.tied_embedding");
    model.embed_init_std = genes.real("model.embed_init_std", 0, 100);
    model.matrix_init_scale = genes.real("model.matrix_init_scale", 0, 100);
    model.proj_init_scale = genes.real("model.proj_init_scale", 0, 100);
    model.rope_base = genes.real("model.rope_base", 1, 1e12);
    model.rope_share = genes.real("model.rope_share", 0, 1);
    model.qk_norm = genes.yes("model.qk_norm");
    model.qk_gain = genes.real("model.qk_gain", -1e3, 1e3);
    model.logit_softcap = genes.real("model.logit_softcap", 1e-3, 1e6);
    model.norm_placement = genes.one_of<NormPlacement>(
        "model.norm_placement",
        {{"pre", NormPlacement::pre}, {"sandwich", NormPlacement::sandwich}, {"post", NormPlacement::post}});
    model.unet_skips = genes.yes("model.unet_skips");
    model.resid_mix = genes.yes("model.resid_mix");
    model.value_residual = genes.yes("model.value_residual");
    model.smear_gate = genes.yes("model.smear_gate");
    model.bigram_buckets = genes.whole("model.bigram_buckets", 0, kMaxBuckets);
    model.bigram_width = genes.whole("model.bigram_width", 1, kMaxWidth);
    model.seq_len = genes.whole("data.seq_len", 1, kTargetMultiple);
    return model;
}

OptimConfig read_optim(Reader& genes, bool tied_embedding) {
    OptimConfig optim;
    optim.method = genes.one_of<Method>("optim.method", {{"muon", Method::muon}, {"adamw", Method::adamw}});
    const bool muon = optim.method == Method::muon;
    optim.matrix_lr = genes.real(muon ? "optim.matrix_lr" : "optim.matrix_adam_lr", 0, 1e3);
    optim.scalar_lr = genes.real("optim.scalar_lr", 0, 1e3);
    optim.embed_lr = genes.real(tied_embedding ? "optim.tied_embed_lr" : "optim.embed_lr", 0, 1e3);
    optim.head_lr = genes.real("optim.head_lr", 0, 1e3);
    optim.muon_momentum = genes.real("optim.muon_momentum", 0, 1);
    optim.muon_momentum_start = genes.real("optim.muon_momentum_start", 0, 1);
    optim.muon_momentum_warmup_steps = genes.whole("optim.muon_momentum_warmup_steps", 0, kMaxSteps);
    optim.muon_steps = genes.whole("optim.muon_steps", 0, 100);
    optim.beta1 = genes.real("optim.beta1", 0, 0.9999999);
    optim.beta2 = genes.real("optim.beta2", 0, 0.9999999);
    optim.adam_eps = genes.real("optim.adam_eps", 1e-30, 1);
    optim.matrix_decay = genes.real("optim.matrix_decay", 0, 1e3);
    optim.embed_decay = genes.real("optim.embed_decay", 0, 1e3);
    optim.grad_clip = genes.real("optim.grad_clip", 0, 1e9);
    optim.averaging = genes.one_of<Averaging>(
        "optim.averaging", {{"none", Averaging::none}, {"ema", Averaging::ema}, {"swa", Averaging::swa}});
    optim.ema_decay = genes.real("optim.ema_decay", 0, 0.9999999);
    optim.swa_share = genes.real("optim.swa_share", 0, 1);
    return optim;
}

ScheduleConfig read_schedule(Reader& genes) {
    ScheduleConfig schedule;
    schedule.warmup_steps = genes.whole("schedule.warmup_steps", 0, kMaxSteps);
    schedule.warmdown_by_share = genes.one_of<bool>("schedule.warmdown", {{"steps", false}, {"share", true}});
    schedule.warmdown_steps = genes.whole("schedule.warmdown_steps", 0, kMaxSteps);
    schedule.warmdown_share = genes.real("schedule.warmdown_share", 0, 1);
    schedule.min_rate = genes.real("schedule.min_rate", 0, 1);
    return schedule;
}

ArtifactConfig read_artifact_config(Reader& genes) {
    ArtifactConfig artifact;
    artifact.attn_bits = genes.whole("artifact.attn_bits", 2, 8);
    artifact.mlp_bits = genes.whole("artifact.mlp_bits", 2, 8);
    artifact.embed_bits = genes.whole("artifact.embed_bits", 2, 16);
    if (artifact.embed_bits > 8 && artifact.embed_bits < 16) {
        genes.complain("artifact.embed_bits", "is neither 16 nor at most 8");
    }
    artifact.clip_quantile = genes.real("artifact.clip_quantile", 0, 1);
    artifact.scale_floor = genes.yes("artifact.scale_floor");
    artifact.qat_share = genes.real("artifact.qat_share", 0, 1);
    artifact.compressor =
        genes.one_of<Compressor>("artifact.compressor", {{"zstd", Compressor::zstd}, {"zlib", Compressor::zlib}});
    return artifact;
}

void check_shapes(Reader& genes, const LmConfig& config) {
    const ModelConfig& model = config.model;
    if (model.width % (2 * model.heads) != 0) genes.complain("model.width", "is not a multiple of twice 'model.heads'");
    if (model.heads % model.kv_heads != 0) genes.complain("model.heads", "is not a multiple of 'model.kv_heads'");
    if (kTargetMultiple % model.seq_len != 0) genes.complain("data.seq_len", "does not divide 4096");
    if (config.tokens_per_step % model.seq_len != 0) {
        genes.complain("data.tokens_per_step", "is not a multiple of 'data.seq_len'");
    }
    if (model.sharing != Sharing::none && model.unique_layers > model.layers) {
        genes.complain("model.unique_layers", "is more than 'model.layers'");
    }
}

}  // namespace

std::int64_t ModelConfig::block_of(std::int64_t layer) const {
    if (sharing == Sharing::cyclic) return layer % unique_layers;
    if (sharing == Sharing::mirrored) return std::min(layer, layers - 1 - layer) % unique_layers;
    return layer;
}

std::int64_t ModelConfig::blocks() const {
    std::int64_t highest = 0;
    for (std::int64_t layer = 0; layer < layers; ++layer) highest = std::max(highest, block_of(layer));
    return highest + 1;
}

std::int64_t ModelConfig::rotated_pairs() const {
    const std::int64_t pairs = head_dim() / 2;
    return std::llround(rope_share * static_cast<double>(pairs));
}

double ModelConfig::forward_flops_per_token() const {
    const auto d = static_cast<double>(width);
    const double projections = 2 * d * d + 2 * d * static_cast<double>(kv_width());
    const double feed_forward = (mlp == Mlp::swiglu ? 3 : 2) * d * static_cast<double>(hidden());
    const double attention = 2 * d * static_cast<double>(seq_len + 1);  // 2 products x 2 FLOPs x (T + 1) / 2 keys
    return static_cast<double>(layers) * (2 * (projections + feed_forward) + attention) +
           2 * d * static_cast<double>(vocabulary) +
           (bigram_buckets > 0 ? 2 * d * static_cast<double>(bigram_width) : 0);
}

Result<LmConfig> read_lm_config(const Genes& genes, std::int64_t vocabulary) {
    if (vocabulary < 1 || vocabulary > kMaxVocabulary) {
        return fail(Code::usage, fmt::format("a vocabulary of {} is not in 1..{}", vocabulary, kMaxVocabulary));
    }
    TRY_ASSIGN(Genes complete, with_defaults(genes));
    Reader reader(std::move(complete));
    LmConfig config;
    config.model = read_model(reader, vocabulary);
    config.optim = read_optim(reader, config.model.tied_embedding);
    config.schedule = read_schedule(reader);
    config.artifact = read_artifact_config(reader);
    config.tokens_per_step = reader.whole("data.tokens_per_step", 1, kMaxStepTokens);
    check_shapes(reader, config);
    if (!reader.problem().empty()) return fail(Code::usage, reader.problem());
    return config;
}

}  // namespace cultivar
