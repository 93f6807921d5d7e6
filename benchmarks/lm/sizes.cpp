#include "benchmarks/lm/sizes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

namespace cultivar {
namespace {

constexpr std::int64_t kVocabulary = 1024;

Value whole(std::int64_t number) { return number; }
Value word(const char* text) { return std::string(text); }

std::map<std::string, Genes> all_sizes() {
    return {{"a",
             {{"model.layers", whole(8)},
              {"model.width", whole(256)},
              {"model.heads", whole(4)},
              {"model.kv_heads", whole(2)},
              {"data.seq_len", whole(512)},
              {"data.tokens_per_step", whole(8192)}}},
            {"b",
             {{"model.layers", whole(8)},
              {"model.sharing", word("mirrored")},
              {"model.unique_layers", whole(4)},
              {"model.mlp", word("swiglu")},
              {"model.logit_softcap", 50.0},
              {"data.seq_len", whole(256)},
              {"data.tokens_per_step", whole(8192)},
              {"optim.tied_embed_lr", 0.06},
              {"optim.matrix_lr", 0.05},
              {"optim.scalar_lr", 0.05},
              {"optim.muon_momentum", 0.90},
              {"optim.muon_momentum_warmup_steps", whole(200)},
              {"optim.muon_steps", whole(6)},
              {"optim.grad_clip", 1.0},
              {"schedule.warmdown_steps", whole(3200)}}},
            {"c",
             {{"model.layers", whole(4)},
              {"model.width", whole(128)},
              {"model.heads", whole(4)},
              {"model.kv_heads", whole(2)},
              {"data.seq_len", whole(256)},
              {"data.tokens_per_step", whole(4096)}}},
            {"baseline", {}}};
}

}  // namespace

const std::vector<std::string>& size_names() {
    static const std::vector<std::string> names{"a", "b", "c", "baseline"};
    return names;
}

Result<LmConfig> size_config(const std::string& name) {
    const auto sizes = all_sizes();
    const auto place = sizes.find(name);
    if (place == sizes.end()) {
        return fail(Code::not_found,
                    fmt::format("there is no size '{}', only {}", name, fmt::join(size_names(), ", ")));
    }
    return read_lm_config(place->second, kVocabulary);
}

}  // namespace cultivar
