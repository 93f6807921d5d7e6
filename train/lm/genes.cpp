#include "train/lm/genes.h"

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
        real("model.rope_base", 1e4, 100, 1e6, Scale::log, "base of the rotary position frequencies"),
        real("model.qk_gain", 1.5, 0.25, 8, Scale::log, "gain of each head's normalised queries at the start"),
        real("model.logit_softcap", 30, 5, 100, Scale::log, "logits are c*tanh(z/c)"),
    };
}

std::vector<Gene> training_genes() {
    return {
        real("optim.matrix_lr", 0.04, 1e-3, 0.4, Scale::log, "rate of the blocks' matrices (Muon)"),
        real("optim.scalar_lr", 0.04, 1e-3, 0.4, Scale::log, "rate of gains, scales, mixes and skip weights (Adam)"),
        active_when("model.tied_embedding", {true},
                    real("optim.tied_embed_lr", 0.05, 1e-3, 0.5, Scale::log, "rate of the tied embedding (Adam)")),
        active_when("model.tied_embedding", {false},
                    real("optim.embed_lr", 0.6, 1e-3, 3, Scale::log, "rate of an untied embedding (Adam)")),
        active_when("model.tied_embedding", {false},
                    real("optim.head_lr", 0.008, 1e-4, 0.1, Scale::log, "rate of an untied output head (Adam)")),
        real("optim.muon_momentum", 0.95, 0.5, 0.99, Scale::linear, "Muon's momentum after its warm-up"),
        real("optim.muon_momentum_start", 0.85, 0, 0.99, Scale::linear, "Muon's momentum at the first step"),
        counted_in("steps", whole("optim.muon_momentum_warmup_steps", 500, 1, 5000,
                                  "steps over which Muon's momentum rises", Scale::log)),
        whole("optim.muon_steps", 5, 1, 10, "Newton-Schulz iterations of each Muon step"),
        real("optim.beta1", 0.9, 0.5, 0.99, Scale::linear, "Adam's decay of the mean gradient"),
        real("optim.beta2", 0.95, 0.8, 0.999, Scale::linear, "Adam's decay of the mean squared gradient"),
        real("optim.grad_clip", 0, 0, 10, Scale::linear, "largest norm of the whole gradient; 0 is off"),
        counted_in("steps", whole("schedule.warmdown_steps", 1200, 1, 20000,
                                  "steps at the end over which the rates fall to zero", Scale::log)),
        counted_in("tokens", in_powers_of_two(whole("data.seq_len", 1024, 64, 4096, "tokens of context", Scale::log))),
        counted_in("tokens", in_powers_of_two(whole("data.tokens_per_step", 524288, 1024, 524288, "tokens of each step",
                                                    Scale::log))),
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
    std::vector<Gene> genes = model_genes();
    for (Gene& gene : training_genes()) genes.push_back(std::move(gene));
    return genes;
}

std::vector<Constraint> lm_constraints() {
    using Kind = Constraint::Kind;
    return {
        {Kind::multiple, "model.width", "model.heads", 2},  // rotary positions turn pairs: heads of even size
        {Kind::multiple, "model.heads", "model.kv_heads", 1},
        {Kind::at_most, "model.unique_layers", "model.layers", 1},
        {Kind::multiple, "data.tokens_per_step", "data.seq_len", 1},
    };
}

std::vector<std::pair<std::string, std::string>> lm_seeds() {
    return {{"baseline", kBaseline}, {"laptop", kLaptop}, {"small", kSmall}};
}

}  // namespace cultivar
