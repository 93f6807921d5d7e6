#include "train/lm/model/model.h"

#include <fmt/format.h>

#include "train/lm/model/split_mix.h"
#include "train/lm/ops/device.h"
#include "train/lm/ops/parallel_lanes.h"
#include "train/lm/ops/torch_compat.h"

namespace cultivar {
namespace {

constexpr std::int64_t kGatherFloats = 1 << 16;

void fill(std::span<float> values, const TensorPlace& place, SplitMix& random) {
    const double reach = 1 / std::sqrt(static_cast<double>(place.shape.back()));
    for (float& value : values) {
        switch (place.start) {
            case Start::uniform:
                value = static_cast<float>(place.fill * reach * (2 * random.uniform() - 1));
                break;
            case Start::normal:
                value = static_cast<float>(place.fill * random.normal());
                break;
            case Start::constant:
                value = static_cast<float>(place.fill);
                break;
        }
    }
}

at::Tensor as_ids(std::span<const std::int64_t> tokens, at::Device device) {
    return at::from_blob(const_cast<std::int64_t*>(tokens.data()), {static_cast<std::int64_t>(tokens.size())},
                         at::kLong)
        .to(device);
}

// Returns the table row of each token's pair with the token before it.
at::Tensor bigram_rows(const at::Tensor& ids, std::int64_t seq_len, std::int64_t buckets) {
    const at::Tensor rows = ids.view({-1, seq_len});
    at::Tensor hashed = at::full_like(rows, buckets - 1);
    const at::Tensor token = rows.narrow(1, 1, seq_len - 1), before = rows.narrow(1, 0, seq_len - 1);
    hashed.narrow(1, 1, seq_len - 1)
        .copy_(at::remainder(at::bitwise_xor(token * 36313, before * 27191), std::max<std::int64_t>(buckets - 1, 1)));
    return hashed.view(-1);
}

at::Tensor smeared(const at::Tensor& x, const at::Tensor& gate, std::int64_t seq_len) {
    const at::Tensor rows = x.view({-1, seq_len, x.size(1)});
    const at::Tensor first = at::zeros({rows.size(0), 1, rows.size(2)}, x.options());
    const at::Tensor before = at::cat({first, rows.narrow(1, 0, seq_len - 1)}, 1);
    return (rows + at::sigmoid(gate) * (before - rows)).view(x.sizes());
}

}  // namespace

// Makes tensors for autograd in the memory of the flat buffers; gradients are added in place.
class Model::Leaves {
public:
    Leaves(const Layout& layout, const at::Tensor& values, const at::Tensor& gradients)
        : layout_(layout), values_(values), gradients_(gradients) {}

    // Returns neighbouring tensors with equally long rows as one; undefined if the layout lacks the first.
    at::Tensor operator()(const std::string& first, std::initializer_list<std::string> others = {}) const {
        const TensorPlace* place = layout_.find(first);
        if (!place) return {};
        std::vector<std::int64_t> shape = place->shape;
        std::int64_t size = place->size;
        for (const std::string& name : others) {
            const TensorPlace* other = layout_.find(name);
            if (!other) continue;
            shape[0] += other->shape[0];
            size += other->size;
        }
        return leaf(place->begin, size, shape);
    }

    std::vector<at::Tensor> rows(const std::string& name) const {
        const TensorPlace* place = layout_.find(name);
        std::vector<at::Tensor> leaves;
        for (std::int64_t row = 0; place && row < place->shape[0]; ++row) {
            leaves.push_back(leaf(place->begin + row * place->shape[1], place->shape[1], {place->shape[1]}));
        }
        return leaves;
    }

private:
    at::Tensor leaf(std::int64_t begin, std::int64_t size, at::IntArrayRef shape) const {
        at::Tensor leaf = values_.narrow(0, begin, size).view(shape).detach();
        leaf.set_requires_grad(true);
        leaf.mutable_grad() = gradients_.narrow(0, begin, size).view(shape).detach();
        return leaf;
    }

    const Layout& layout_;
    const at::Tensor &values_, &gradients_;
};

Model::Model(const ModelConfig& config, std::int64_t lanes, const Ops& ops, at::Device device)
    : config_(config),
      ops_(ops),
      layout_(make_layout(config)),
      rotary_(make_rotary(config.seq_len, config.head_dim(), config.rotated_pairs(), config.rope_base)),
      values_(at::zeros({layout_.size}, device)) {
    rotary_.cosine = rotary_.cosine.to(device);
    rotary_.sine = rotary_.sine.to(device);
    for (std::int64_t i = 0; i < lanes; ++i) lanes_.push_back(make_lane());
}

Model::Block Model::make_block(const Leaves& leaves, std::int64_t index) const {
    const auto name = [&](const char* part) { return fmt::format("blocks.{}.{}", index, part); };
    Block block;
    block.qkv = leaves(name("attn.c_q.weight"), {name("attn.c_k.weight"), name("attn.c_v.weight")});
    block.out = leaves(name("attn.proj.weight"));
    block.fc = leaves(name("mlp.fc.weight"), {name("mlp.gate.weight")});
    block.proj = leaves(name("mlp.proj.weight"));
    block.q_gain = leaves(name("attn.q_gain"));
    block.value_mix = leaves(name("attn.value_mix"));
    block.attn_scale = leaves(name("attn_scale"));
    block.mlp_scale = leaves(name("mlp_scale"));
    block.mix_x = leaves(name("resid_mix.x"));
    block.mix_x0 = leaves(name("resid_mix.x0"));
    return block;
}

Model::Lane Model::make_lane() const {
    Lane lane;
    lane.gradients = at::zeros_like(values_);
    const Leaves leaves(layout_, values_, lane.gradients);
    for (std::int64_t i = 0; i < config_.blocks(); ++i) lane.blocks.push_back(make_block(leaves, i));
    lane.embedding = leaves("tok_emb.weight");
    lane.head = config_.tied_embedding ? lane.embedding : leaves("lm_head.weight");
    lane.bigram = leaves("bigram.weight");
    lane.bigram_proj = leaves("bigram.proj.weight");
    lane.skip_weights = leaves.rows("skip_weights");
    lane.smear_gate = leaves("smear_gate");
    return lane;
}

void Model::initialise(std::uint64_t seed) {
    SplitMix random(seed);
    std::vector<float> values(static_cast<std::size_t>(layout_.size));
    for (const TensorPlace& place : layout_.tensors) {
        fill(std::span(values).subspan(static_cast<std::size_t>(place.begin), static_cast<std::size_t>(place.size)),
             place, random);
    }
    set_values(values);
}

void Model::set_values(std::span<const float> values) {
    values_.copy_(at::from_blob(const_cast<float*>(values.data()), {layout_.size}, at::kFloat));
}

at::Tensor Model::attention(const Block& block, const at::Tensor& x, at::Tensor& first_values) const {
    AttentionParts parts{ops_.linear(x, block.qkv), block.q_gain, {}, {}, rotary_.cosine, rotary_.sine, config_.heads,
                         config_.kv_heads};
    if (first_values.defined()) {
        parts.value_mix = block.value_mix;
        parts.first_values = first_values;
    } else if (config_.value_residual) {
        first_values = parts.qkv.narrow(1, config_.width + config_.kv_width(), config_.kv_width()).contiguous();
    }
    return ops_.linear(ops_.attend(parts), block.out);
}

at::Tensor Model::feed_forward(const Block& block, const at::Tensor& x) const {
    return ops_.linear(ops_.activate(config_.mlp, ops_.linear(x, block.fc)), block.proj);
}

at::Tensor Model::run_block(const Block& block, const at::Tensor& x, const at::Tensor& x0,
                            at::Tensor& first_values) const {
    const bool post = config_.norm_placement == NormPlacement::post;
    const auto after = [&](const at::Tensor& y) {
        return config_.norm_placement == NormPlacement::sandwich ? ops_.norm(y) : y;
    };
    Normed in{x, x};
    if (config_.resid_mix) {
        in = ops_.mix_norm(x, block.mix_x, x0, block.mix_x0);
    } else if (!post) {
        in.normed = ops_.norm(x);
    }
    const at::Tensor attended = after(attention(block, post ? in.sum : in.normed, first_values));
    Normed middle = ops_.add_norm(in.sum, block.attn_scale, attended);
    if (post) middle.sum = middle.normed;
    const at::Tensor fed = after(feed_forward(block, middle.normed));
    if (post) return ops_.add_norm(middle.sum, block.mlp_scale, fed).normed;
    return ops_.add(middle.sum, block.mlp_scale, fed);
}

at::Tensor Model::embed(const Lane& lane, const at::Tensor& ids) const {
    at::Tensor x = ops_.lookup(lane.embedding, ids);
    if (lane.bigram.defined()) {
        const at::Tensor rows = bigram_rows(ids, config_.seq_len, config_.bigram_buckets);
        x = x + ops_.linear(ops_.lookup(lane.bigram, rows), lane.bigram_proj);
    }
    x = ops_.norm(x);
    return lane.smear_gate.defined() ? smeared(x, lane.smear_gate, config_.seq_len) : x;
}

at::Tensor Model::hidden_states(const Lane& lane, const at::Tensor& ids) const {
    const std::int64_t pushing = config_.skips();
    const at::Tensor x0 = embed(lane, ids);
    at::Tensor x = x0, first_values;
    std::vector<at::Tensor> skips;
    for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
        if (layer >= pushing && !skips.empty()) {
            x = ops_.add(x, lane.skip_weights[static_cast<std::size_t>(layer - pushing)], skips.back());
            skips.pop_back();
        }
        const Block& block = lane.blocks[static_cast<std::size_t>(config_.block_of(layer))];
        x = run_block(block, x, x0, first_values);
        if (layer < pushing) skips.push_back(x);
    }
    return ops_.norm(x);
}

double Model::accumulate(std::int64_t lane, std::span<const std::int64_t> tokens, double weight) {
    const Lane& leaves = lanes_[static_cast<std::size_t>(lane)];
    const at::Tensor ids = as_ids(tokens, values_.device());
    const std::int64_t count = ids.numel() - 1;
    const PassPrecision precision(values_.device());
    return ops_.backward(hidden_states(leaves, ids.narrow(0, 0, count)), leaves.head, ids.narrow(0, 1, count),
                         config_.logit_softcap, weight);
}

void Model::gather_gradients() {
    if (lanes_.size() == 1) return;
    each_in_turn((layout_.size + kGatherFloats - 1) / kGatherFloats, [&](std::int64_t i) {
        const at::NoGradGuard no_gradients;  // gradient mode is per thread
        const std::int64_t begin = i * kGatherFloats, count = std::min(kGatherFloats, layout_.size - begin);
        for (std::size_t lane = 1; lane < lanes_.size(); ++lane) {
            updates().drain(lanes_[lane].gradients.narrow(0, begin, count),
                            lanes_[0].gradients.narrow(0, begin, count));
        }
    });
}

void Model::clear_gradients() {
    for (Lane& lane : lanes_) lane.gradients.zero_();
}

void Model::target_losses(std::span<const std::int64_t> tokens, std::span<float> losses) const {
    const at::NoGradGuard no_gradients;
    const Lane& leaves = lanes_.front();
    const at::Tensor ids = as_ids(tokens, values_.device());
    const std::int64_t count = ids.numel() - 1;
    at::Tensor out = at::from_blob(losses.data(), {count}, at::kFloat);
    out.copy_(ops_.losses(hidden_states(leaves, ids.narrow(0, 0, count)), leaves.head, ids.narrow(0, 1, count),
                          config_.logit_softcap));
}

}  // namespace cultivar
