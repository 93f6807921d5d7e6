#include "train/lm/layout.h"

#include <fmt/format.h>

#include <algorithm>

namespace cultivar {
namespace {

class Builder {
public:
    void add(std::string name, std::vector<std::int64_t> shape, Group group, Start start, double fill) {
        TensorPlace place{std::move(name), std::move(shape), group, start, fill, layout_.size, 1};
        for (std::int64_t extent : place.shape) place.size *= extent;
        layout_.size += place.size;
        layout_.tensors.push_back(std::move(place));
    }

    // The same tensor of every block, side by side.
    void add_each(std::int64_t blocks, const char* part, const std::vector<std::int64_t>& shape, Group group,
                  Start start, double fill) {
        for (std::int64_t block = 0; block < blocks; ++block) {
            add(fmt::format("blocks.{}.{}", block, part), shape, group, start, fill);
        }
    }

    Layout finish() { return std::move(layout_); }

private:
    Layout layout_;
};

}  // namespace

const TensorPlace& Layout::at(const std::string& name) const {
    return *std::find_if(tensors.begin(), tensors.end(), [&](const TensorPlace& place) { return place.name == name; });
}

Layout make_layout(const ModelConfig& config) {
    const std::int64_t d = config.width, kv = config.kv_width(), hidden = config.hidden(), blocks = config.blocks();
    Builder builder;
    builder.add_each(blocks, "attn.c_q.weight", {d, d}, Group::matrix, Start::uniform, 0);
    builder.add_each(blocks, "attn.proj.weight", {d, d}, Group::matrix, Start::constant, 0);
    builder.add_each(blocks, "attn.c_k.weight", {kv, d}, Group::matrix, Start::uniform, 0);
    builder.add_each(blocks, "attn.c_v.weight", {kv, d}, Group::matrix, Start::uniform, 0);
    builder.add_each(blocks, "mlp.fc.weight", {hidden, d}, Group::matrix, Start::uniform, 0);
    if (config.mlp == Mlp::swiglu) {
        builder.add_each(blocks, "mlp.gate.weight", {hidden, d}, Group::matrix, Start::uniform, 0);
    }
    builder.add_each(blocks, "mlp.proj.weight", {d, hidden}, Group::matrix, Start::constant, 0);

    const double embed_std = config.tied_embedding ? config.embed_init_std : 1.0;
    builder.add("tok_emb.weight", {config.vocabulary, d}, Group::embedding, Start::normal, embed_std);
    if (!config.tied_embedding) {
        builder.add("lm_head.weight", {config.vocabulary, d}, Group::head, Start::constant, 0);
    }

    builder.add_each(blocks, "attn.q_gain", {config.heads}, Group::scalar, Start::constant, config.qk_gain);
    builder.add_each(blocks, "attn_scale", {d}, Group::scalar, Start::constant, 1);
    builder.add_each(blocks, "mlp_scale", {d}, Group::scalar, Start::constant, 1);
    builder.add_each(blocks, "resid_mix.x", {d}, Group::scalar, Start::constant, 1);
    builder.add_each(blocks, "resid_mix.x0", {d}, Group::scalar, Start::constant, 0);
    if (config.encoder_layers() > 0) {
        builder.add("skip_weights", {config.encoder_layers(), d}, Group::scalar, Start::constant, 1);
    }
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
