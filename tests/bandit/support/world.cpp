#include "tests/bandit/support/world.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace cultivar::testing {
namespace {

std::int64_t whole_of(const Genes& genes, const char* name) { return std::get<std::int64_t>(genes.at(name)); }
double real_of(const Genes& genes, const char* name) { return std::get<double>(genes.at(name)); }
const Genes& genes_of(const History& history, const std::string& candidate) {
    return std::ranges::find_if(history.candidates,
                                [&](const KnownCandidate& entry) { return entry.candidate.id == candidate; })
        ->candidate.genes;
}
double square(double x) { return x * x; }

}  // namespace

Gene whole(std::string name, std::int64_t value, double low, double high) {
    Gene gene;
    gene.name = std::move(name);
    gene.type = GeneType::integer;
    gene.default_value = value;
    gene.low = low;
    gene.high = high;
    return gene;
}

Gene real(std::string name, double value, double low, double high, bool log_scale) {
    Gene gene;
    gene.name = std::move(name);
    gene.type = GeneType::real;
    gene.default_value = value;
    gene.low = low;
    gene.high = high;
    gene.log_scale = log_scale;
    return gene;
}

Gene choice(std::string name, std::vector<std::string> choices) {
    Gene gene;
    gene.name = std::move(name);
    gene.type = GeneType::choice;
    gene.default_value = choices.front();
    gene.choices = std::move(choices);
    return gene;
}

Space model_space() {
    Gene width = whole("model.width", 64, 32, 512);
    width.multiple_of = 8;
    width.log_scale = true;
    Gene heads = whole("model.heads", 4, 1, 16);
    heads.levels = {1, 2, 4, 8, 16};
    Gene mlp = choice("model.mlp", {"relu2", "gelu", "swiglu"});
    width.structural = heads.structural = mlp.structural = true;
    Gene length = whole("data.length", 1024, 64, 4096);
    length.levels = {64, 128, 256, 512, 1024, 2048, 4096};
    Gene tokens = whole("data.tokens", 16384, 1024, 65536);
    tokens.levels = {1024, 2048, 4096, 8192, 16384, 32768, 65536};
    Gene momentum = real("optim.momentum", 0.95, 0.5, 0.99);
    momentum.when = Condition{"optim.kind", {std::string("muon")}};
    auto space = Space::make({width, heads, mlp, length, tokens, real("optim.rate", 0.04, 1e-3, 1, true),
                              choice("optim.kind", {"adam", "muon"}), momentum},
                             {{Constraint::Kind::multiple, "model.width", "model.heads", 8},
                              {Constraint::Kind::multiple, "data.tokens", "data.length", 1}});
    if (!space) throw std::runtime_error(space.error().message);
    return *space;
}

double true_score(const Genes& genes) {
    double score = 2;
    score += 0.05 * square(std::log2(static_cast<double>(whole_of(genes, "data.tokens")) / 4096));
    score += 0.03 * square(std::log2(static_cast<double>(whole_of(genes, "data.length")) / 256));
    score += 0.05 * square(std::log(real_of(genes, "optim.rate") / 0.15));
    score += 0.05 * square(std::log2(static_cast<double>(whole_of(genes, "model.width")) / 160));
    score += std::get<std::string>(genes.at("model.mlp")) == "swiglu" ? 0 : 0.04;
    bool muon = std::get<std::string>(genes.at("optim.kind")) == "muon";
    return score + (muon ? 2 * square(real_of(genes, "optim.momentum") - 0.9) : 0.1);
}

Candidate candidate_of(const Space& space, const Genes& changes) {
    auto candidate = make_candidate(space, kTask, changes);
    if (!candidate) throw std::runtime_error(candidate.error().message);
    return *candidate;
}

Trial done(const std::string& candidate, double score, Decision decision) {
    Trial trial;
    trial.candidate = candidate;
    trial.score = score;
    trial.decision = decision;
    trial.budget_s = 10;
    return trial;
}

std::string add(History& history, const Candidate& candidate, std::vector<std::string> parents, bool seed) {
    KnownCandidate known;
    known.candidate = candidate;
    known.parents = std::move(parents);
    known.seed = seed;
    history.candidates.push_back(known);
    return candidate.id;
}

KnownCandidate& known(History& history, const std::string& candidate) {
    return *std::ranges::find_if(history.candidates,
                                 [&](const KnownCandidate& entry) { return entry.candidate.id == candidate; });
}

Crosser mixing_crosser(const Space& space, const History& history) {
    return [&](const std::string& a, const std::string& b) -> Result<Candidate> {
        const Genes& first = genes_of(history, a);
        const Genes& second = genes_of(history, b);
        Genes child;
        bool take = true;
        for (const auto& [name, value] : first) {
            if (value != second.at(name)) take = !take;
            child[name] = take ? value : second.at(name);
        }
        TRY(space.check(child));
        return make_candidate(space, kTask, child);
    };
}

Result<Plan> Clone::run(History& history) {
    PlannerInput input{&space_, kTask, &history, seed_, mixing_crosser(space_, history)};
    TRY_ASSIGN(Plan plan, plan_next(input));
    if (std::ranges::none_of(history.candidates,
                             [&](const KnownCandidate& entry) { return entry.candidate == plan.child; }))
        add(history, plan.child, plan.parents);
    Trial trial = done(plan.child.id, true_score(plan.child.genes) + sigma_ * luck_.normal());
    if (whole_of(plan.child.genes, "model.width") == 512) trial.status = RunStatus::unfit;
    trial.operator_name = plan.operator_name;
    trial.parents = plan.parents;
    history.trials.push_back(trial);
    history.trials.back().decision = judge(history, plan.child.id, plan.parents).decision;
    if (history.trials.back().decision == Decision::kept) known(history, plan.child.id).kept = true;
    return plan;
}

}  // namespace cultivar::testing
