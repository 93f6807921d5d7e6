#include "bandit/proposals.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "bandit/operators.h"
#include "bandit/repair.h"

namespace cultivar {
namespace {

constexpr std::size_t kModelFrom = 10;         // candidates with figures
constexpr int kSamples = 12, kMutations = 12;  // that the model ranks
constexpr int kTries = 64;                     // mutations drawn before an operator gives up
constexpr int kPairs = 8;                      // crosses tried before the operator gives up
constexpr double kFollow = 0.5;
constexpr double kForeignWeight = 0.5;

double mean_score(const std::vector<const Trial*>& trials, RunStatus status) {
    double sum = 0;
    int count = 0;
    for (const Trial* trial : trials) {
        if (trial->status == status) sum += trial->score, ++count;
    }
    return count > 0 ? sum / count : std::numeric_limits<double>::infinity();
}

// What the model is told of a candidate: its score, else where its curve pointed to, else that it cannot be judged
// here.
Observation observe(const Contender& contender) {
    const auto& trials = contender.own.empty() ? contender.foreign : contender.own;
    double score = mean_score(trials, RunStatus::done);
    if (std::isinf(score)) score = mean_score(trials, RunStatus::stopped);
    return {&contender.known->candidate.genes, score, contender.own.empty() ? kForeignWeight : 1};
}

bool importable(const Contender& contender) {
    if (!contender.open() || contender.known->in_flight || !contender.own.empty()) return false;
    bool scored_elsewhere = std::isfinite(mean_score(contender.foreign, RunStatus::done));
    return contender.known->kept || (contender.known->seed && scored_elsewhere);
}

// Scored here and better than the incumbent; then unknown here, newest tips of the family tree first; then the rest.
std::vector<const Contender*> ranked_imports(const Contenders& contenders, double incumbent) {
    std::unordered_set<std::string_view> improved;  // has a kept child
    for (const Contender& contender : contenders.all()) {
        if (contender.known == nullptr || !contender.known->kept) continue;
        for (const std::string& parent : contender.known->parents) improved.insert(parent);
    }
    struct Rank {
        const Contender* contender;
        int group;
        double score;
    };
    std::vector<Rank> ranks;
    for (const Contender& contender : contenders.all()) {
        if (!importable(contender)) continue;
        double score = mean_score(contender.foreign, RunStatus::done);
        bool tip = !improved.contains(contender.known->candidate.id);
        int group = score < incumbent ? 0 : contender.tried() ? 3 : tip ? 1 : 2;
        ranks.push_back({&contender, group, group == 0 || group == 3 ? score : -static_cast<double>(ranks.size())});
    }
    std::ranges::stable_sort(
        ranks, [](const Rank& a, const Rank& b) { return a.group != b.group ? a.group < b.group : a.score < b.score; });
    std::vector<const Contender*> imports;
    for (const Rank& rank : ranks) imports.push_back(rank.contender);
    return imports;
}

std::string drawn(const ParentDraw& draw) {
    return fmt::format("{} drawn at {:.2f}", short_id(draw.arm->contender->known->candidate.id), draw.value);
}

}  // namespace

Proposer::Proposer(const PlannerInput& input, const Contenders& contenders, Random& random)
    : input_(input),
      space_(*input.space),
      contenders_(contenders),
      random_(random),
      experience_(*input.space, contenders),
      arms_(parent_arms(contenders)) {
    for (const Known& known : input.history->candidates) ids_.insert(known.candidate.id);
    for (const Trial& trial : input.history->trials) ids_.insert(trial.candidate);
    for (const Contender& contender : contenders.all()) {
        if (contender.known == nullptr || !contender.tried()) continue;
        observations_.push_back(observe(contender));
        figures_ += std::isfinite(observations_.back().score);
    }
    double incumbent = arms_.empty() ? std::numeric_limits<double>::infinity() : arms_.front().contender->mean;
    imports_ = ranked_imports(contenders, incumbent);
}

bool Proposer::available(std::string_view operator_name) const {
    if (operator_name == kImport) return !imports_.empty();
    if (operator_name == kCross) return arms_.size() >= 2 && input_.cross;
    bool structural = operator_name == kSwitch;
    return !arms_.empty() &&
           std::ranges::any_of(space_.genes(), [&](const Gene& gene) { return gene.structural == structural; });
}

std::optional<Proposal> Proposer::propose(std::string_view operator_name) {
    if (!available(operator_name)) return std::nullopt;
    if (operator_name == kImport) return import();
    if (operator_name == kCross) return cross();
    return operator_name == kSwitch ? step(GeneKind::structural) : tune();
}

std::optional<Proposal> Proposer::accept(const ParentDraw& draw, const Genes& genes) const {
    auto child = make_candidate(space_, input_.task_id, genes);
    if (!child || !novel(child->id)) return std::nullopt;
    const Candidate& parent = draw.arm->contender->known->candidate;
    std::string change = change_text(gene_changes(space_, parent.genes, child->genes));
    return Proposal{std::move(*child), {parent.id}, fmt::format("parent {}; {}", drawn(draw), change)};
}

std::optional<Proposal> Proposer::tune() {
    if (figures_ >= kModelFrom) {
        Parzen model(space_, observations_);
        for (const ParentDraw& draw : draw_parents(arms_, random_)) {
            if (auto proposal = from_model(draw, model)) return proposal;
        }
    }
    return step(GeneKind::plain);
}

std::optional<Proposal> Proposer::from_model(const ParentDraw& draw, const Parzen& model) {
    const Contender& parent = *draw.arm->contender;
    const Genes& base = parent.known->candidate.genes;
    struct Ranked {
        Genes genes;
        double gain;
    };
    std::vector<Ranked> ranked;
    auto consider = [&](Genes genes) {
        if (!repair(space_, genes, {})) return;
        double gain = model.gain(genes);
        ranked.push_back({std::move(genes), gain});
    };
    for (int i = 0; i < kSamples; ++i) consider(model.sample(base, random_));
    for (int i = 0; i < kMutations; ++i) {
        if (auto genes = one_step(parent, GeneKind::plain)) consider(std::move(*genes));
    }
    std::ranges::stable_sort(ranked, std::ranges::greater{}, &Ranked::gain);
    for (const Ranked& candidate : ranked) {
        if (auto proposal = accept(draw, candidate.genes)) return proposal;
    }
    return std::nullopt;
}

std::optional<Proposal> Proposer::step(GeneKind kind) {
    for (int attempt = 0; attempt < kTries; ++attempt) {
        ParentDraw draw = draw_parents(arms_, random_).front();
        auto genes = one_step(*draw.arm->contender, kind);
        if (!genes) continue;
        if (auto proposal = accept(draw, *genes)) return proposal;
    }
    return std::nullopt;
}

std::optional<Genes> Proposer::one_step(const Contender& parent, GeneKind kind) {
    const Known& known = *parent.known;
    // Only a childless candidate follows its own step: afterwards that direction has had its chance.
    if (known.parents.size() == 1 && parent.children == 0 && random_.chance(kFollow)) {
        const Contender* before = contenders_.find(known.parents.front());
        if (before != nullptr && before->known != nullptr) {
            auto genes = follow(space_, before->known->candidate.genes, known.candidate.genes, kind, random_);
            if (genes) return genes;
        }
    }
    return mutate(space_, known.candidate.genes, kind, experience_, mean_steps(parent), random_);
}

std::unordered_set<std::string_view> Proposer::ancestors(const std::string& id) const {
    std::unordered_set<std::string_view> found;
    std::vector<const Contender*> open{contenders_.find(id)};
    while (!open.empty()) {
        const Contender* next = open.back();
        open.pop_back();
        if (next == nullptr || next->known == nullptr) continue;
        for (const std::string& parent : next->known->parents) {
            if (found.insert(parent).second) open.push_back(contenders_.find(parent));
        }
    }
    return found;
}

std::optional<Proposal> Proposer::cross() {
    std::vector<ParentDraw> draws = draw_parents(arms_, random_);
    int pairs = 0;
    // Pairs in the order of their better, then of their worse draw.
    for (std::size_t i = 0; i < draws.size(); ++i) {
        const std::string& first = draws[i].arm->contender->known->candidate.id;
        auto above_first = ancestors(first);
        for (std::size_t j = i + 1; j < draws.size(); ++j) {
            const std::string& second = draws[j].arm->contender->known->candidate.id;
            if (above_first.contains(second) || ancestors(second).contains(first)) continue;
            if (++pairs > kPairs) return std::nullopt;
            auto child = input_.cross(first, second);
            if (!child || !novel(child->id) || !space_.check(child->genes)) continue;
            return Proposal{
                std::move(*child), {first, second}, fmt::format("{} with {}", drawn(draws[i]), drawn(draws[j]))};
        }
    }
    return std::nullopt;
}

std::optional<Proposal> Proposer::import() const {
    if (imports_.empty()) return std::nullopt;
    const Contender& best = *imports_.front();
    double score = mean_score(best.foreign, RunStatus::done);
    std::string why = std::isfinite(score) ? fmt::format("scored {:.4f} by another, not yet run here", score)
                                           : std::string("kept elsewhere, not yet run here");
    const Candidate& candidate = best.known->candidate;
    return Proposal{candidate, best.known->parents, fmt::format("{} {}", short_id(candidate.id), why)};
}

}  // namespace cultivar
