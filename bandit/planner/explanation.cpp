#include "bandit/planner/explanation.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace cultivar {
namespace {

constexpr int kDraws = 2000;
constexpr int kDeepest = 10'000;  // generations
constexpr std::size_t kMostOutsiders = 10;

using Shares = std::map<std::string, double, std::less<>>;

Shares operator_shares(const History& history) {
    Shares shares;
    for (const Trial& trial : history.trials) shares[trial.operator_name] += 1;
    return shares;
}

bool begins_anew(const Trial& trial) {
    return trial.parents.empty() || trial.operator_name == "replicate" || trial.operator_name == "seed" ||
           trial.operator_name == kImport;
}

Shares candidate_shares(const History& history) {
    Shares shares;
    for (const Trial& trial : history.trials) {
        if (begins_anew(trial)) {
            shares[trial.candidate] += 1;
        } else {
            for (const std::string& parent : trial.parents)
                shares[parent] += 1.0 / static_cast<double>(trial.parents.size());
        }
    }
    return shares;
}

// Computes the share of a candidate that belongs to each root (candidate without parents) above it.
class Lines {
public:
    explicit Lines(const CandidateTable& candidates) : candidates_(candidates) {}

    const Shares& of(const std::string& candidate, int depth = 0) {
        if (auto found = known_.find(candidate); found != known_.end()) return found->second;
        Shares shares;
        const CandidateStats* stats = candidates_.find(candidate);
        const bool root = stats == nullptr || stats->known == nullptr || stats->known->parents.empty();
        known_[candidate] = {{candidate, 1}};  // ends the recursion on a cycle
        if (root || depth > kDeepest) return known_[candidate];
        const auto& parents = stats->known->parents;
        for (const std::string& parent : parents) {
            for (const auto& [name, share] : of(parent, depth + 1))
                shares[name] += share / static_cast<double>(parents.size());
        }
        return known_[candidate] = std::move(shares);
    }

private:
    const CandidateTable& candidates_;
    std::unordered_map<std::string, Shares> known_;
};

std::vector<Family> families_of(const History& history, const CandidateTable& candidates) {
    Lines lines(candidates);
    std::map<std::string, Family> families;
    for (const Trial& trial : history.trials) {
        for (const auto& [root, share] : lines.of(trial.candidate))
            families[root].share += share / static_cast<double>(history.trials.size());
    }
    for (const CandidateStats& stats : candidates.all()) {
        if (stats.known == nullptr || !stats.tried()) continue;
        for (const auto& [root, share] : lines.of(stats.known->candidate.id)) ++families[root].candidates;
    }
    std::vector<Family> out;
    for (auto& [root, family] : families) {
        family.root = root;
        out.push_back(std::move(family));
    }
    std::ranges::stable_sort(out, std::ranges::greater{}, &Family::share);
    return out;
}

std::vector<ParentValue> parents_of(const History& history, const CandidateTable& candidates, Random& random) {
    const std::vector<ParentArm> arms = parent_arms(candidates);
    const Shares shares = candidate_shares(history);
    std::unordered_map<const ParentArm*, int> first;
    for (int draw = 0; draw < kDraws && !arms.empty(); ++draw) ++first[draw_parents(arms, random).front().arm];
    std::vector<ParentValue> values;
    for (const ParentArm& arm : arms) {
        const CandidateStats& stats = *arm.stats;
        ParentValue value{stats.known->candidate.id,
                          stats.mean,
                          arm.shrunken,
                          arm.level,
                          stats.runs(),
                          stats.children,
                          static_cast<double>(first[&arm]) / kDraws,
                          0};
        if (auto share = shares.find(value.candidate); share != shares.end())
            value.share = share->second / static_cast<double>(history.trials.size());
        values.push_back(std::move(value));
    }
    return values;
}

std::vector<OperatorValue> operators_of(const History& history, const std::vector<OperatorArm>& arms,
                                        const std::vector<OperatorProbability>& selection_probability) {
    Shares shares = operator_shares(history);
    for (auto& [name, share] : shares) share /= static_cast<double>(history.trials.size());
    std::vector<OperatorValue> values;
    for (const OperatorArm& arm : arms) {
        auto drawn = std::ranges::find(selection_probability, arm.name, &OperatorProbability::name);
        auto share = shares.find(arm.name);
        values.push_back({std::string(arm.name), arm.successes, arm.failures, arm.cost,
                          drawn == selection_probability.end() ? 0 : drawn->selection_probability,
                          share == shares.end() ? 0 : share->second});
        if (share != shares.end()) shares.erase(share);
    }
    const auto others = static_cast<std::ptrdiff_t>(values.size());
    for (const auto& [name, share] : shares) values.push_back({name, 0, 0, 0, 0, share});
    std::stable_sort(values.begin() + others, values.end(),
                     [](const OperatorValue& a, const OperatorValue& b) { return a.share > b.share; });
    return values;
}

std::string_view standing_of(const CandidateStats& stats) {
    if (stats.known->retired) return "retired";
    if (stats.own.empty())
        return stats.known->in_flight ? "under way" : "unverified and not run here yet: no parent before it is";
    if (!stats.scored()) return "it gave no score here";
    switch (stats.decision) {
        case Decision::kept:
            return "run here first, and kept: it may have children";
        case Decision::undecided:
            return "run here first, and undecided: it may have children";
        default:
            return "run here first, and not kept";
    }
}

// Candidates that others claim to be better than all that ran here.
std::vector<Outsider> outsiders_of(const CandidateTable& candidates) {
    const CandidateStats* best = candidates.best();
    std::vector<Outsider> outsiders;
    for (const CandidateStats& stats : candidates.all()) {
        if (stats.known == nullptr) continue;
        const Trial* boldest = nullptr;
        for (const Trial* trial : stats.foreign) {
            if (trial->status != RunStatus::done || (best != nullptr && trial->score >= best->mean)) continue;
            if (boldest == nullptr || trial->score < boldest->score) boldest = trial;
        }
        if (boldest == nullptr) continue;
        std::optional<double> here;
        if (stats.scored()) here = stats.mean;
        outsiders.push_back(
            {stats.known->candidate.id, boldest->writer, boldest->score, here, std::string(standing_of(stats))});
    }
    const auto most = std::min(outsiders.size(), kMostOutsiders);
    std::ranges::partial_sort(outsiders, outsiders.begin() + static_cast<std::ptrdiff_t>(most), {}, &Outsider::claimed);
    outsiders.resize(most);
    return outsiders;
}

}  // namespace

Explanation explain(const History& history, const CandidateTable& candidates, const std::vector<OperatorArm>& arms,
                    std::vector<OperatorProbability> selection_probability, std::uint64_t seed) {
    Random random(seed);
    if (selection_probability.empty()) selection_probability = selection_probabilities(arms, random);
    return {operators_of(history, arms, selection_probability),
            parents_of(history, candidates, random),
            families_of(history, candidates),
            outsiders_of(candidates),
            {},
            estimate_noise(candidates)};
}

}  // namespace cultivar
