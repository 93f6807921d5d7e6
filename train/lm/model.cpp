#include "train/lm/model.h"

#include <fmt/format.h>

#include "train/lm/split_mix.h"

namespace cultivar {
namespace {

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

at::Tensor as_ids(std::span<const std::int64_t> tokens) {
    return at::from_blob(const_cast<std::int64_t*>(tokens.data()), {static_cast<std::int64_t>(tokens.size())},
                         at::kLong);
}

}  // namespace

Model::Model(const ModelConfig& config, std::int64_t lanes)
    : config_(config),
      layout_(make_layout(config)),
      rotary_(config.seq_len, config.head_dim(), config.rope_base),
      values_(at::zeros({layout_.size})) {
    for (std::int64_t i = 0; i < lanes; ++i) lanes_.push_back(make_lane());
}

Model::Lane Model::make_lane() const {
    Lane lane;
    lane.gradients = at::zeros({layout_.size});
    // A tensor of its own for autograd in the memory of the flat buffers: gradients are added in place.
    const auto leaf = [&](const std::string& name) {
        const TensorPlace& place = layout_.at(name);
        at::Tensor tensor = values_.narrow(0, place.begin, place.size).view(place.shape).detach();
        tensor.set_requires_grad(true);
        tensor.mutable_grad() = lane.gradients.narrow(0, place.begin, place.size).view(place.shape).detach();
        return tensor;
    };
    for (std::int64_t i = 0; i < config_.blocks(); ++i) {
        const auto part = [&](const char* name) { return leaf(fmt::format("blocks.{}.{}", i, name)); };
        Block block;
        block.q = part("attn.c_q.weight");
        block.k = part("attn.c_k.weight");
        block.v = part("attn.c_v.weight");
        block.out = part("attn.proj.weight");
        block.fc = part("mlp.fc.weight");
        if (config_.mlp == Mlp::swiglu) block.gate = part("mlp.gate.weight");
        block.proj = part("mlp.proj.weight");
        block.q_gain = part("attn.q_gain");
        block.attn_scale = part("attn_scale");
        block.mlp_scale = part("mlp_scale");
        block.mix_x = part("resid_mix.x");
        block.mix_x0 = part("resid_mix.x0");
        lane.blocks.push_back(std::move(block));
    }
    lane.embedding = leaf("tok_emb.weight");
    if (!config_.tied_embedding) lane.head = leaf("lm_head.weight");
    if (config_.skips() > 0) lane.skip_weights = leaf("skip_weights");
    return lane;
}

void Model::initialise(std::uint64_t seed) {
    SplitMix random(seed);
    for (const TensorPlace& place : layout_.tensors) {
        fill(value_floats().subspan(static_cast<std::size_t>(place.begin), static_cast<std::size_t>(place.size)), place,
             random);
    }
}

at::Tensor Model::attention(const Block& block, const at::Tensor& x, std::int64_t rows) const {
    const std::int64_t t = config_.seq_len, head = config_.head_dim();
    const auto split = [&](const at::Tensor& w, std::int64_t heads) {
        return at::mm(x, w.t()).view({rows, t, heads, head});
    };
    const auto heads_first = [](const at::Tensor& y) { return y.transpose(1, 2).contiguous(); };
    const at::Tensor q = rotary_(rms_norm(split(block.q, config_.heads))) * block.q_gain.unsqueeze(1);
    const at::Tensor k = rotary_(rms_norm(split(block.k, config_.kv_heads)));
    const at::Tensor v = split(block.v, config_.kv_heads);
    const at::Tensor y = causal_attention(heads_first(q), heads_first(k), heads_first(v));
    return at::mm(y.transpose(1, 2).reshape({rows * t, config_.width}), block.out.t());
}

at::Tensor Model::feed_forward(const Block& block, const at::Tensor& x) const {
    at::Tensor hidden = at::mm(x, block.fc.t());
    switch (config_.mlp) {
        case Mlp::relu2:
            hidden = at::relu(hidden);
            hidden = hidden * hidden;
            break;
        case Mlp::gelu:
            hidden = at::gelu(hidden);
            break;
        case Mlp::swiglu:
            hidden = at::silu(at::mm(x, block.gate.t())) * hidden;
            break;
    }
    return at::mm(hidden, block.proj.t());
}

at::Tensor Model::run_block(const Block& block, const at::Tensor& mixed, std::int64_t rows) const {
    const at::Tensor x = at::addcmul(mixed, block.attn_scale, attention(block, rms_norm(mixed), rows));
    return at::addcmul(x, block.mlp_scale, feed_forward(block, rms_norm(x)));
}

at::Tensor Model::hidden_states(const Lane& lane, const at::Tensor& ids) const {
    const std::int64_t rows = ids.numel() / config_.seq_len, encoder = config_.skips();
    const at::Tensor x0 = rms_norm(at::embedding(lane.embedding, ids));
    at::Tensor x = x0;
    std::vector<at::Tensor> skips;
    for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
        if (layer >= encoder && !skips.empty()) {
            x = at::addcmul(x, lane.skip_weights[layer - encoder], skips.back());
            skips.pop_back();
        }
        const Block& block = lane.blocks[static_cast<std::size_t>(config_.block_of(layer))];
        x = run_block(block, at::addcmul(block.mix_x * x, block.mix_x0, x0), rows);
        if (layer < encoder) skips.push_back(x);
    }
    return rms_norm(x);
}

double Model::accumulate(std::int64_t lane, std::span<const std::int64_t> tokens, double weight) {
    const Lane& leaves = lanes_[static_cast<std::size_t>(lane)];
    const at::Tensor ids = as_ids(tokens);
    const std::int64_t count = ids.numel() - 1;
    const at::Tensor loss = softcap_cross_entropy(hidden_states(leaves, ids.narrow(0, 0, count)), output_head(leaves),
                                                  ids.narrow(0, 1, count), config_.logit_softcap);
    (loss * weight).backward();
    return loss.item<double>();
}

void Model::gather_gradients() {
    for (std::size_t i = 1; i < lanes_.size(); ++i) {
        lanes_[0].gradients.add_(lanes_[i].gradients);
        lanes_[i].gradients.zero_();
    }
}

void Model::clear_gradients() {
    for (Lane& lane : lanes_) lane.gradients.zero_();
}

void Model::target_losses(std::span<const std::int64_t> tokens, std::span<float> losses) const {
    const at::NoGradGuard no_gradients;
    const Lane& leaves = lanes_.front();
    const at::Tensor ids = as_ids(tokens);
    const std::int64_t count = ids.numel() - 1;
    at::Tensor out = at::from_blob(losses.data(), {count}, at::kFloat);
    out.copy_(softcap_losses(hidden_states(leaves, ids.narrow(0, 0, count)), output_head(leaves),
                             ids.narrow(0, 1, count), config_.logit_softcap));
}

}  // namespace cultivar
