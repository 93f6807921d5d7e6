#include "train/lm/config/tensor_layout.h"

#include <fmt/format.h>

#include <algorithm>

namespace cultivar {
namespace {

constexpr double kBigramStd = 0.02;

struct Kind {
    Group group;
    Part part;
};
constexpr Kind kAttention{Group::matrix, Part::attention}, kMlp{Group::matrix, Part::mlp};
constexpr Kind kEmbedding{Group::embedding, Part::embedding}, kHead{Group::head, Part::embedding};
constexpr Kind kControl{Group::scalar, Part::control};

class Builder {
public:
    void add(std::string name, std::vector<std::int64_t> shape, Kind kind, Start start, double fill) {
        TensorPlace place{std::move(name), std::move(shape), kind.group, kind.part, start, fill, layout_.size, 1};
        for (std::int64_t extent : place.shape) place.size *= extent;
        layout_.size += place.size;
        layout_.tensors.push_back(std::move(place));
    }

    Layout finish() { return std::move(layout_); }

private:
    Layout layout_;
};

void add_matrices(Builder& builder, const ModelConfig& config, const std::string& block) {
    const std::int64_t d = config.width, kv = config.kv_width(), hidden = config.hidden();
    const double in = config.matrix_init_scale, out = config.proj_init_scale;
    builder.add(block + "attn.c_q.weight", {d, d}, kAttention, Start::uniform, in);
    builder.add(block + "attn.c_k.weight", {kv, d}, kAttention, Start::uniform, in);
    builder.add(block + "attn.c_v.weight", {kv, d}, kAttention, Start::uniform, in);
    builder.add(block + "attn.proj.weight", {d, d}, kAttention, Start::uniform, out);
    builder.add(block + "mlp.fc.weight", {hidden, d}, kMlp, Start::uniform, in);
    if (config.mlp == Mlp::swiglu) builder.add(block + "mlp.gate.weight", {hidden, d}, kMlp, Start::uniform, in);
    builder.add(block + "mlp.proj.weight", {d, hidden}, kMlp, Start::uniform, out);
}

void add_embeddings(Builder& builder, const ModelConfig& config) {
    const std::int64_t d = config.width;
    const double embed_std = config.tied_embedding ? config.embed_init_std : 1.0;
    builder.add("tok_emb.weight", {config.vocabulary, d}, kEmbedding, Start::normal, embed_std);
    if (config.bigram_buckets > 0) {
        builder.add("bigram.weight", {config.bigram_buckets, config.bigram_width}, kEmbedding, Start::normal,
                    kBigramStd);
        builder.add("bigram.proj.weight", {d, config.bigram_width}, kEmbedding, Start::constant, 0);
    }
    if (!config.tied_embedding) builder.add("lm_head.weight", {config.vocabulary, d}, kHead, Start::constant, 0);
}

void add_controls(Builder& builder, const ModelConfig& config, const std::string& block) {
    const std::int64_t d = config.width;
    if (config.qk_norm) {
        builder.add(block + "attn.q_gain", {config.heads}, kControl, Start::constant, config.qk_gain);
    }
    if (config.value_residual) {
        builder.add(block + "attn.value_mix", {2}, kControl, Start::constant, 0.5);
    }
    builder.add(block + "attn_scale", {d}, kControl, Start::constant, 1);
    builder.add(block + "mlp_scale", {d}, kControl, Start::constant, 1);
    if (config.resid_mix) {
        builder.add(block + "resid_mix.x", {d}, kControl, Start::constant, 1);
        builder.add(block + "resid_mix.x0", {d}, kControl, Start::constant, 0);
    }
}

}  // namespace

const TensorPlace* Layout::find(const std::string& name) const {
    const auto place =
        std::find_if(tensors.begin(), tensors.end(), [&](const auto& each) { return each.name == name; });
    return place == tensors.end() ? nullptr : &*place;
}

Layout make_layout(const ModelConfig& config) {
    const auto prefix = [](std::int64_t block) { return fmt::format("blocks.{}.", block); };
    Builder builder;
    for (std::int64_t block = 0; block < config.blocks(); ++block) add_matrices(builder, config, prefix(block));
    add_embeddings(builder, config);
    for (std::int64_t block = 0; block < config.blocks(); ++block) add_controls(builder, config, prefix(block));
    if (config.skips() > 0) {
        builder.add("skip_weights", {config.skips(), config.width}, kControl, Start::constant, 1);
    }
    if (config.smear_gate) builder.add("smear_gate", {config.width}, kControl, Start::constant, 0);
    return builder.finish();
}

GroupRange group_range(const Layout& layout, Group group) {
    GroupRange range;
    for (const TensorPlace& place : layout.tensors) {
        if (place.group != group) continue;
        if (range.size == 0) range.begin = place.begin;
        range.size += place.size;
    }
    return range;
}

}  // namespace cultivar
