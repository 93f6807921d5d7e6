#include "bandit/proposals/proposer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bandit/policy/keep_test.h"
#include "bandit/policy/operator_bandit.h"
#include "bandit/proposals/import_choice.h"
#include "bandit/proposals/neighbourhood.h"
#include "bandit/space/constraint_repair.h"

namespace cultivar {
namespace {

constexpr int kNoiseKnown = 2;                 // degrees of freedom
constexpr double kNoiseMatters = 0.01;         // sigma / spread of scores
constexpr std::ptrdiff_t kModelFrom = 4;       // scored candidates
constexpr double kLnSourceFailed = -1.4;       // a quarter of the chance for each failure in a row after the first
constexpr std::size_t kModelParents = 4;       // the model ranks the children of so many parents:
constexpr int kSamples = 12, kMutations = 12;  // this many of each kind per parent
constexpr double kLeaps = 64;
constexpr int kLeapTries = 1000;  // the limit if little is feasible
constexpr int kClimbs = 6;
constexpr int kTries = 64;  // mutations drawn before an operator gives up
constexpr int kPairs = 8;   // crosses tried before the operator gives up
constexpr double kFollow = 0.5;
constexpr std::ptrdiff_t kMostLeased = 8;  // runs of others, the newest ones, that the model takes for under way
constexpr double kBelieved = 0.5;          // least probability of a failure that the genes are blamed for
constexpr double kTrusted = 0.25;          // least agreement - 2 standard errors of a source that is believed

// Returns the model's observation of a candidate: its score, else the expected score of its stopped runs, else infinity
// (it could not be judged here).
Observation observe(const CandidateStats& stats) {
    double score = mean_score(stats.own, RunStatus::done);
    if (std::isinf(score)) score = mean_score(stats.own, RunStatus::stopped);
    return {&stats.known->candidate.genes, score, 1, static_cast<double>(stats.own.size())};
}

std::string drawn(const ParentDraw& draw) {
    return fmt::format("{} drawn at {:.2f}", short_id(draw.arm->stats->known->candidate.id), draw.value);
}

}  // namespace

std::vector<const Genes*> genes_under_way(const History& history) {
    auto leased = std::ranges::count_if(history.candidates, [](const KnownCandidate& known) {
        return known.in_flight && !known.rejected && !known.held_here;
    });
    std::vector<const Genes*> genes;
    for (const KnownCandidate& known : history.candidates) {
        if (!known.in_flight || known.rejected || (!known.held_here && leased-- > kMostLeased)) continue;
        genes.push_back(&known.candidate.genes);
    }
    return genes;
}

Proposer::Proposer(const PlannerInput& input, const CandidateTable& candidates, Random& random)
    : input_(input),
      space_(*input.space),
      candidates_(candidates),
      random_(random),
      experience_(*input.space, candidates),
      feasibility_(*input.space, candidates) {
    observe_all(*input.history);
    measure_noise();
    arms_ = model_ ? parent_arms(candidates,
                                 [&](const CandidateStats& one) {
                                     return noise_matters_ ? model_->expected(one.known->candidate.genes) : one.mean;
                                 })
                   : parent_arms(candidates);
    double incumbent = arms_.empty() ? std::numeric_limits<double>::infinity() : arms_.front().stats->mean;
    imports_ = ranked_imports(candidates, incumbent);
}

void Proposer::observe_all(const History& history) {
    for (const CandidateStats& stats : candidates_.all()) {
        if (stats.known == nullptr || stats.own.empty()) continue;
        if (!stats.only_failed() || feasibility_.failure(stats.known->candidate.genes) > kBelieved)
            observations_.push_back(observe(stats));
    }
    sources_ = hint_sources(history, candidates_);
    auto figures =
        std::ranges::count_if(observations_, [](const Observation& one) { return std::isfinite(one.score); });
    if (figures < (sources_.empty() ? kModelFrom : 1)) return;
    model_.emplace(space_, observations_, genes_under_way(history), sources_);
}

std::vector<HintSourceValue> Proposer::source_values() const {
    std::vector<HintSourceValue> values;
    const std::vector<double> weights = model_ ? model_->source_weights() : std::vector<double>();
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const HintSource& source = sources_[i];
        values.push_back({std::string(source.category), std::string(source.writer), source.sure,
                          static_cast<int>(source.results.size()), source.shared, source.agreement, weights[i]});
    }
    return values;
}

double Proposer::hint_weight() const {
    const std::vector<double> weights = model_ ? model_->source_weights() : std::vector<double>();
    double sum = 0;
    for (double weight : weights) sum += weight;
    return weights.empty() ? 1 : std::clamp(sum, 0.0, 1.0);
}

bool Proposer::trusted(const Trial& trial) const {
    return std::ranges::any_of(sources_, [&](const HintSource& source) {
        return source.writer == trial.writer && source.category == input_.history->category && source.shared > 0 &&
               source.agreement - 2 / std::sqrt(source.shared) >= kTrusted;
    });
}

bool Proposer::novel(const std::string& id) const {
    if (!candidates_.knows(id)) return true;
    const CandidateStats* stats = candidates_.find(id);
    if (!model_ || stats == nullptr || !stats->open() || stats->known->in_flight) return false;
    if (stats->may_try_again()) return true;
    return stats->own.empty() &&
           std::ranges::none_of(stats->foreign, [&](const Trial* trial) { return trusted(*trial); });
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
    GeneKind kind = operator_name == kSwitch ? GeneKind::structural : GeneKind::plain;
    if (model_) {
        if (auto proposal = by_model(kind)) return proposal;
    }
    return step(kind);
}

void Proposer::measure_noise() {
    if (candidates_.noiseless()) return;
    int replicated = 0;
    for (const CandidateStats& stats : candidates_.all()) replicated += std::max(stats.runs() - 1, 0);
    noise_known_ = replicated >= kNoiseKnown;
    if (!noise_known_) return;
    noise_matters_ = estimate_noise(candidates_).sigma > kNoiseMatters * score_spread(candidates_);
}

double Proposer::acquired(const Genes& genes, const SourceFiles& files) const {
    const double source = kLnSourceFailed * std::max(0, candidates_.source_failures(files) - 1);
    return model_->acquisition(genes) + std::log1p(-feasibility_.failure(genes)) + source;
}

bool Proposer::allowed(const Genes& genes) const {
    return space_.violated(genes) == nullptr && (!input_.feasible || input_.feasible(genes));
}

std::optional<Proposal> Proposer::accept(const ParentDraw& draw, const Genes& genes) const {
    if (!allowed(genes)) return std::nullopt;
    const Candidate& parent = draw.arm->stats->known->candidate;
    auto child = make_candidate(space_, input_.task_id, genes, parent.files);
    if (!child || !novel(child->id)) return std::nullopt;
    std::string how =
        fmt::format("parent {}; {}", drawn(draw), change_text(gene_changes(space_, parent.genes, child->genes)));
    const CandidateStats* told = candidates_.find(child->id);
    if (told != nullptr && !told->foreign.empty()) how += "; others say that they ran it, which nobody verified";
    return Proposal{std::move(*child), {parent.id}, std::move(how)};
}

std::optional<Proposal> Proposer::by_model(GeneKind kind) {
    Parzen sampler(space_, observations_);
    std::vector<ParentDraw> draws = draw_parents(arms_, random_);
    if (draws.size() > kModelParents) draws.resize(kModelParents);
    std::vector<Idea> ideas;
    const auto most = most_moved(space_);
    auto add = [&](std::vector<Genes> children, std::size_t parent) {
        const Candidate& base = draws[parent].arm->stats->known->candidate;
        for (Genes& genes : children) {
            if (kind == GeneKind::plain && moved_count(space_, base.genes, genes) > most) continue;
            double acquisition = acquired(genes, base.files);
            ideas.push_back({std::move(genes), parent, acquisition});
        }
    };
    for (std::size_t i = 0; i < draws.size(); ++i) add(ideas_from(*draws[i].arm->stats, kind, sampler), i);
    if (kind == GeneKind::plain) add(leaps(draws.front().arm->stats->known->candidate.genes), 0);
    std::ranges::stable_sort(ideas, std::ranges::greater{}, &Idea::acquisition);
    for (Idea& idea : ideas) {
        if (!accept(draws[idea.parent], idea.genes)) continue;
        const ParentDraw& draw = draws[idea.parent];
        const Candidate& parent = draw.arm->stats->known->candidate;
        return accept(draw, kind == GeneKind::plain ? climbed(std::move(idea), parent) : idea.genes);
    }
    return std::nullopt;
}

std::vector<Genes> Proposer::ideas_from(const CandidateStats& parent, GeneKind kind, const Parzen& sampler) {
    std::vector<Genes> children;
    auto consider = [&](Genes genes) {
        if (repair(space_, genes, {}) && allowed(genes)) children.push_back(std::move(genes));
    };
    for (int i = 0; i < kMutations; ++i) {
        if (auto genes = one_step(parent, kind)) consider(std::move(*genes));
    }
    if (kind == GeneKind::structural) return children;
    const auto genes = static_cast<double>(std::max<std::ptrdiff_t>(tunable_count(space_), 1));
    for (int i = 0; i < kSamples; ++i) {
        double share = std::pow(genes, -random_.uniform());  // log-uniform from one gene to all
        consider(sampler.sample(parent.known->candidate.genes, share, random_));
    }
    return children;
}

// Returns assignments anywhere in the space: other values for all plain genes. With many genes there are fewer leaps
// and each changes fewer genes, since most other values are worse than those that people and the search settled on. A
// small space is enumerated.
std::vector<Genes> Proposer::leaps(const Genes& base) {
    std::vector<Genes> found;
    if (assignment_count(space_) <= kSmallSpace) {
        found = every_assignment(space_, base);
        std::erase_if(found, [&](const Genes& genes) { return !allowed(genes); });
    } else {
        const double few = static_cast<double>(kFewGenes) / static_cast<double>(tunable_count(space_));
        const double share = std::min(1.0, few * few);
        const auto wanted = static_cast<std::size_t>(std::ceil(share * kLeaps));
        for (int i = 0; i < kLeapTries && found.size() < wanted; ++i) {
            Genes& genes = found.emplace_back(base);
            for (const Gene& gene : space_.genes()) {
                if (tunable(gene) && random_.chance(share)) genes.at(gene.name) = any_value(gene, random_);
            }
            if (!repair(space_, genes, {}) || !allowed(genes)) found.pop_back();
        }
    }
    return found;
}

// Moves to the best neighbour in one plain gene, repeatedly, while the acquisition rises and the child is new. No
// further gene moves once the most allowed differ from the parent's.
Genes Proposer::climbed(Idea idea, const Candidate& parent) {
    const auto most = most_moved(space_);
    for (int round = 0; round < kClimbs; ++round) {
        const Genes from = idea.genes;
        const bool no_more = moved_count(space_, parent.genes, from) >= most;
        for (const Gene& gene : space_.genes()) {
            if (!tunable(gene) || !space_.active(gene, from)) continue;
            if (no_more && from.at(gene.name) == parent.genes.at(gene.name)) continue;
            for (const Value& value : neighbours(gene, from.at(gene.name))) {
                Genes genes = from;
                genes.at(gene.name) = value;
                double acquisition = acquired(genes, parent.files);
                if (acquisition <= idea.acquisition || !allowed(genes)) continue;
                auto child = make_candidate(space_, input_.task_id, genes, parent.files);
                if (child && novel(child->id)) idea = {std::move(genes), idea.parent, acquisition};
            }
        }
        if (idea.genes == from) break;
    }
    return idea.genes;
}

std::optional<Proposal> Proposer::step(GeneKind kind) {
    for (int attempt = 0; attempt < kTries; ++attempt) {
        ParentDraw draw = draw_parents(arms_, random_).front();
        auto genes = one_step(*draw.arm->stats, kind);
        if (!genes) continue;
        if (auto proposal = accept(draw, *genes)) return proposal;
    }
    return std::nullopt;
}

std::optional<Genes> Proposer::one_step(const CandidateStats& parent, GeneKind kind) {
    const KnownCandidate& known = *parent.known;
    // Only a childless candidate repeats its own step: later that direction has had its chance.
    if (known.parents.size() == 1 && parent.children == 0 && random_.chance(kFollow)) {
        const CandidateStats* before = candidates_.find(known.parents.front());
        if (before != nullptr && before->known != nullptr) {
            auto genes = follow(space_, before->known->candidate.genes, known.candidate.genes, kind, random_);
            if (genes) return genes;
        }
    }
    return mutate(space_, known.candidate.genes, kind, experience_, mean_steps(parent), random_);
}

std::optional<Proposal> Proposer::cross() {
    std::vector<ParentDraw> draws = draw_parents(arms_, random_);
    int pairs = 0;
    std::optional<Proposal> best;
    double highest = 0;
    // Pairs come in the order of their better, then of their worse draw.
    for (std::size_t i = 0; i < draws.size(); ++i) {
        const std::string& first = draws[i].arm->stats->known->candidate.id;
        const Ids above_first = ancestors(candidates_, {draws[i].arm->stats});
        for (std::size_t j = i + 1; j < draws.size(); ++j) {
            const std::string& second = draws[j].arm->stats->known->candidate.id;
            if (above_first.contains(second)) continue;
            if (ancestors(candidates_, {draws[j].arm->stats}).contains(first)) continue;
            if (++pairs > kPairs) return best;
            auto child = input_.cross(first, second);
            if (!child || !novel(child->id) || !allowed(child->genes)) continue;
            double acquisition = model_ ? acquired(child->genes, child->files) : 0;
            if (best && acquisition <= highest) continue;
            highest = acquisition;
            best = Proposal{
                std::move(*child), {first, second}, fmt::format("{} with {}", drawn(draws[i]), drawn(draws[j]))};
            if (!model_) return best;
        }
    }
    return best;
}

std::optional<Proposal> Proposer::import() const {
    if (imports_.empty()) return std::nullopt;
    const CandidateStats& best = most_promising(imports_, model_ && !sources_.empty() ? &*model_ : nullptr);
    double score = mean_score(best.foreign, RunStatus::done);
    std::string why = std::isfinite(score)
                          ? fmt::format("scored {} by another, unverified: run here before anything is built on it",
                                        input_.history->text.of(score))
                          : std::string("kept elsewhere, not yet run here");
    const Candidate& candidate = best.known->candidate;
    return Proposal{candidate, best.known->parents, fmt::format("{} {}", short_id(candidate.id), why)};
}

}  // namespace cultivar
