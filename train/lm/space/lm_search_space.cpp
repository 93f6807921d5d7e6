#include "train/lm/space/lm_search_space.h"

namespace cultivar {
namespace {

enum class Scale { linear, log };

Gene whole(std::string name, std::int64_t value, double low, double high, std::string help,
           Scale scale = Scale::linear) {
    Gene gene;
    gene.name = std::move(name);
    gene.type = GeneType::integer;
    gene.default_value = value;
    gene.low = low;
    gene.high = high;
    gene.log_scale = scale == Scale::log;
    gene.help = std::move(help);
    return gene;
}

Gene real(std::string name, double value, double low, double high, Scale scale, std::string help) {
    Gene gene;
    gene.name = std::move(name);
    gene.type = GeneType::real;
    gene.default_value = value;
    gene.low = low;
    gene.high = high;
    gene.log_scale = scale == Scale::log;
    gene.help = std::move(help);
    return gene;
}

Gene one_of(std::string name, std::vector<std::string> choices, std::string help) {
    Gene gene;
    gene.name = std::move(name);
    gene.type = GeneType::choice;
    gene.default_value = choices.front();
    gene.choices = std::move(choices);
    gene.help = std::move(help);
    return gene;
}

Gene yes_or_no(std::string name, bool value, std::string help) {
    Gene gene;
    gene.name = std::move(name);
    gene.type = GeneType::boolean;
    gene.default_value = value;
    gene.help = std::move(help);
    return gene;
}

Gene structural(Gene gene) {
    gene.structural = true;
    return gene;
}

Gene counted_in(const char* unit, Gene gene) {
    gene.unit = unit;
    return gene;
}

Gene in_steps_of(std::int64_t multiple, Gene gene) {
    gene.multiple_of = multiple;
    return gene;
}

// Powers of two, both ends included.
Gene in_powers_of_two(Gene gene) {
    for (auto level = static_cast<std::int64_t>(gene.low); level <= static_cast<std::int64_t>(gene.high); level *= 2) {
        gene.levels.push_back(level);
    }
    return gene;
}

std::vector<Value> sizes(std::initializer_list<std::int64_t> numbers) { return {numbers.begin(), numbers.end()}; }

// One of a few whole numbers in ascending order.
Gene one_of_sizes(std::string name, std::int64_t value, std::vector<std::int64_t> levels, std::string help) {
    Gene gene = whole(std::move(name), value, static_cast<double>(levels.front()), static_cast<double>(levels.back()),
                      std::move(help));
    gene.levels = std::move(levels);
    return gene;
}

Gene active_when(const char* other, std::vector<Value> values, Gene gene) {
    gene.when = Condition{other, std::move(values)};
    return gene;
}

std::vector<Gene> model_genes() {
    return {
        structural(whole("model.layers", 9, 1, 32, "transformer blocks that a token passes through")),
        structural(in_steps_of(8, whole("model.width", 512, 32, 1024, "size of the residual stream", Scale::log))),
        structural(whole("model.heads", 8, 1, 16, "attention heads", Scale::log)),
        structural(
            whole("model.kv_heads", 4, 1, 16, "heads of keys and values, shared by groups of heads", Scale::log)),
        structural(one_of("model.mlp", {"relu2", "gelu", "swiglu"}, "activation of the feed-forward part")),
        structural(whole("model.mlp_mult", 2, 1, 4, "hidden size of the feed-forward part in widths")),
        structural(one_of("model.sharing", {"none", "cyclic", "mirrored"}, "how layers share the weights of blocks")),
        active_when("model.sharing", {std::string("cyclic"), std::string("mirrored")},
                    structural(whole("model.unique_layers", 4, 1, 32, "blocks with weights of their own when shared"))),
        structural(yes_or_no("model.tied_embedding", true, "one matrix serves as embedding and as output head")),
        active_when("model.tied_embedding", {true},
                    real("model.embed_init_std", 0.005, 1e-4, 0.5, Scale::log, "spread of the embedding at the start")),
        real("model.matrix_init_scale", 1, 0.1, 4, Scale::log,
             "spread of the blocks' input matrices at the start, in 1/sqrt(width)"),
        real("model.proj_init_scale", 0, 0, 2, Scale::linear,
             "spread of the blocks' output projections at the start, in 1/sqrt(columns)"),
        real("model.rope_base", 1e4, 100, 1e6, Scale::log, "base of the rotary position frequencies"),
        real("model.rope_share", 1, 0, 1, Scale::linear, "share of each head's pairs that carry a rotary position"),
        structural(yes_or_no("model.qk_norm", true, "queries and keys are normalised, queries have a gain a head")),
        active_when("model.qk_norm", {true},
                    real("model.qk_gain", 1.5, 0.25, 8, Scale::log, "gain of each head's queries at the start")),
        real("model.logit_softcap", 30, 5, 100, Scale::log, "logits are c*tanh(z/c)"),
        structural(one_of("model.norm_placement", {"pre", "sandwich", "post"},
                          "norms before each part, before and after it, or after adding it")),
        structural(
            yes_or_no("model.unet_skips", true, "the second half of the layers adds the outputs of the first half")),
        structural(yes_or_no("model.resid_mix", true, "each block mixes the embedding into its input")),
        structural(yes_or_no("model.value_residual", false, "each layer mixes the first layer's values into its own")),
        structural(yes_or_no("model.smear_gate", false, "a gate a channel mixes the token before into each embedding")),
        structural(one_of_sizes("model.bigram_buckets", 0, {0, 512, 1024, 2048, 4096, 8192, 16384},
                                "hashed pairs of tokens with an embedding of their own; 0 is none")),
        active_when("model.bigram_buckets", sizes({512, 1024, 2048, 4096, 8192, 16384}),
                    structural(in_steps_of(
                        8, whole("model.bigram_width", 128, 8, 512, "size of a pair's embedding", Scale::log)))),
    };
}

std::vector<Gene> optimizer_genes() {
    const std::vector<Value> muon{std::string("muon")}, adamw{std::string("adamw")};
    return {
        one_of("optim.method", {"muon", "adamw"}, "optimizer of the blocks' matrices; Adam trains the rest"),
        active_when("optim.method", muon,
                    real("optim.matrix_lr", 0.04, 1e-3, 0.4, Scale::log, "rate of the blocks' matrices (Muon)")),
        active_when("optim.method", adamw,
                    real("optim.matrix_adam_lr", 0.002, 1e-5, 0.1, Scale::log, "rate of the blocks' matrices (AdamW)")),
        real("optim.scalar_lr", 0.04, 1e-3, 0.4, Scale::log, "rate of gains, scales, mixes and skip weights (Adam)"),
        active_when("model.tied_embedding", {true},
                    real("optim.tied_embed_lr", 0.05, 1e-3, 0.5, Scale::log, "rate of the tied embedding (Adam)")),
        active_when("model.tied_embedding", {false},
                    real("optim.embed_lr", 0.6, 1e-3, 3, Scale::log, "rate of an untied embedding (Adam)")),
        active_when("model.tied_embedding", {false},
                    real("optim.head_lr", 0.008, 1e-4, 0.1, Scale::log, "rate of an untied output head (Adam)")),
        active_when("optim.method", muon,
                    real("optim.muon_momentum", 0.95, 0.5, 0.99, Scale::linear, "Muon's momentum after its warm-up")),
        active_when(
            "optim.method", muon,
            real("optim.muon_momentum_start", 0.85, 0, 0.99, Scale::linear, "Muon's momentum at the first step")),
        active_when("optim.method", muon,
                    counted_in("steps", whole("optim.muon_momentum_warmup_steps", 500, 1, 5000,
                                              "steps over which Muon's momentum rises", Scale::log))),
        active_when("optim.method", muon,
                    whole("optim.muon_steps", 5, 1, 10, "Newton-Schulz iterations of each Muon step")),
        real("optim.beta1", 0.9, 0.5, 0.99, Scale::linear, "Adam's decay of the mean gradient"),
        real("optim.beta2", 0.95, 0.8, 0.999, Scale::linear, "Adam's decay of the mean squared gradient"),
        real("optim.adam_eps", 1e-8, 1e-12, 1e-4, Scale::log, "Adam's addend to the root of the mean square"),
        real("optim.matrix_decay", 0, 0, 1, Scale::linear, "weight decay of the blocks' matrices, times their rate"),
        real("optim.embed_decay", 0, 0, 1, Scale::linear, "weight decay of embeddings and head, times their rate"),
        real("optim.grad_clip", 0, 0, 10, Scale::linear, "largest norm of the whole gradient; 0 is off"),
        one_of("optim.averaging", {"none", "ema", "swa"}, "the artifact is of the last weights or of an average"),
        active_when(
            "optim.averaging", {std::string("ema")},
            real("optim.ema_decay", 0.99, 0.5, 0.9999, Scale::linear, "share of the average that each step keeps")),
        active_when("optim.averaging", {std::string("swa")},
                    real("optim.swa_share", 0.2, 0.01, 0.9, Scale::linear,
                         "share of the budget, at its end, in which weights are averaged")),
    };
}

std::vector<Gene> schedule_genes() {
    return {
        counted_in("steps", whole("schedule.warmup_steps", 0, 0, 2000, "steps at the start over which the rates rise")),
        one_of("schedule.warmdown", {"steps", "share"}, "how the length of the falling rates is given"),
        active_when("schedule.warmdown", {std::string("steps")},
                    counted_in("steps", whole("schedule.warmdown_steps", 1200, 1, 20000,
                                              "steps at the end over which the rates fall", Scale::log))),
        active_when("schedule.warmdown", {std::string("share")},
                    real("schedule.warmdown_share", 0.5, 0.01, 1, Scale::linear,
                         "share of the budget at the end over which the rates fall")),
        real("schedule.min_rate", 0, 0, 0.5, Scale::linear, "share of the rates that is left at the end"),
    };
}

std::vector<Gene> data_genes() {
    return {
        counted_in("tokens", in_powers_of_two(whole("data.seq_len", 1024, 64, 4096, "tokens of context", Scale::log))),
        counted_in("tokens", in_powers_of_two(whole("data.tokens_per_step", 524288, 1024, 524288, "tokens of each step",
                                                    Scale::log))),
    };
}

std::vector<Gene> artifact_genes() {
    return {
        one_of_sizes("artifact.attn_bits", 8, {4, 5, 6, 8}, "bits of each weight of the attention matrices"),
        one_of_sizes("artifact.mlp_bits", 8, {4, 5, 6, 8}, "bits of each weight of the feed-forward matrices"),
        one_of_sizes("artifact.embed_bits", 8, {4, 5, 6, 8, 16}, "bits of each weight of embeddings and head"),
        real("artifact.clip_quantile", 0.9999984, 0.9, 1, Scale::linear,
             "quantile of a row's weights at which the others are clipped"),
        yes_or_no("artifact.scale_floor", true,
                  "the scale of a row of 8-bit weights is at least 1/127, as the reference has it"),
        real("artifact.qat_share", 0, 0, 0.5, Scale::linear,
             "share of the budget at the end that trains with quantised weights"),
        one_of("artifact.compressor", {"zstd", "zlib"}, "compressor of the artifact"),
    };
}

constexpr const char* kBaseline = R"(# Parameter Golf's baseline as published: every gene at its default.
# 9 layers of width 512, 524,288 tokens a step. It was made for eight large GPUs.
)";

constexpr const char* kLaptop =
    R"(# Parameter Golf's baseline for a laptop: narrower, deeper, 32 times fewer tokens a step.
# This is where the collective search of its pull request 597 began.
[model]
layers = 14
width = 416
heads = 8
kv_heads = 2

[data]
tokens_per_step = 16384
)";

constexpr const char* kSmall = R"(# A small model that two cores can train in seconds, on the laptop variant's schedule.
[model]
layers = 4
width = 128
heads = 4
kv_heads = 2

[data]
tokens_per_step = 16384
)";

}  // namespace

std::vector<Gene> lm_genes() {
    std::vector<Gene> genes;
    for (const auto& room : {model_genes(), optimizer_genes(), schedule_genes(), data_genes(), artifact_genes()}) {
        genes.insert(genes.end(), room.begin(), room.end());
    }
    return genes;
}

std::vector<Constraint> lm_constraints() {
    using Kind = Constraint::Kind;
    return {
        {Kind::multiple, "model.width", "model.heads", 2},  // rotary positions rotate pairs: heads need an even size
        {Kind::multiple, "model.heads", "model.kv_heads", 1},
        {Kind::at_most, "model.unique_layers", "model.layers", 1},
        {Kind::multiple, "data.tokens_per_step", "data.seq_len", 1},
    };
}

std::vector<std::pair<std::string, std::string>> lm_seeds() {
    return {{"baseline", kBaseline}, {"laptop", kLaptop}, {"small", kSmall}};
}

}  // namespace cultivar
