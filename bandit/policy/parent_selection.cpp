#include "bandit/policy/parent_selection.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cultivar {
namespace {

constexpr std::size_t kArms = 10;
constexpr std::size_t kEstimated = 30;
constexpr double kParentWeight = 0.5;  // runs
constexpr double kSpread = 0.3;

double shrunken_mean(const CandidateTable& candidates, const CandidateStats& stats) {
    const CandidateStats* parent = candidates.best_of(stats.known->parents);
    if (parent == nullptr) return stats.mean;
    double runs = stats.runs();
    return (runs * stats.mean + kParentWeight * parent->mean) / (runs + kParentWeight);
}

double median_score(const CandidateTable& candidates) {
    std::vector<double> means;
    for (const CandidateStats& stats : candidates.all()) {
        if (stats.scored()) means.push_back(stats.mean);
    }
    if (means.empty()) return 0;
    auto middle = means.begin() + static_cast<std::ptrdiff_t>(means.size() / 2);
    std::ranges::nth_element(means, middle);
    return *middle;
}

std::vector<const CandidateStats*> parents_of(const CandidateTable& candidates) {
    std::vector<const CandidateStats*> parents;
    for (const CandidateStats& stats : candidates.all()) {
        if (stats.parent()) parents.push_back(&stats);
    }
    return parents;
}

std::vector<ParentArm> arms_of(const CandidateTable& candidates, const std::vector<const CandidateStats*>& parents,
                               const std::function<double(const CandidateStats&)>& estimate) {
    std::vector<ParentArm> arms;
    for (const CandidateStats* parent : parents) arms.push_back({parent, estimate(*parent), 0});
    std::ranges::stable_sort(arms, {}, &ParentArm::shrunken);
    if (arms.size() > kArms) arms.resize(kArms);
    if (arms.empty()) return arms;
    double best = arms.front().shrunken, median = median_score(candidates);
    for (ParentArm& arm : arms)
        arm.level = median > best ? std::clamp((median - arm.shrunken) / (median - best), 0.0, 1.0)
                                  : static_cast<double>(arm.shrunken <= best);
    return arms;
}

}  // namespace

std::vector<ParentArm> parent_arms(const CandidateTable& candidates) {
    return arms_of(candidates, parents_of(candidates),
                   [&](const CandidateStats& stats) { return shrunken_mean(candidates, stats); });
}

std::vector<ParentArm> parent_arms(const CandidateTable& candidates,
                                   const std::function<double(const CandidateStats&)>& estimate) {
    std::vector<const CandidateStats*> parents = parents_of(candidates);
    const auto most = std::min(parents.size(), kEstimated);
    std::ranges::partial_sort(parents, parents.begin() + static_cast<std::ptrdiff_t>(most), {},
                              [](const CandidateStats* one) { return std::pair(one->mean, one); });
    parents.resize(most);
    return arms_of(candidates, parents, estimate);
}

double score_spread(const CandidateTable& candidates) {
    const CandidateStats* best = candidates.best();
    return best == nullptr ? 0 : median_score(candidates) - best->mean;
}

std::vector<ParentDraw> draw_parents(const std::vector<ParentArm>& arms, Random& random) {
    std::vector<ParentDraw> draws;
    for (const ParentArm& arm : arms)
        draws.push_back({&arm, arm.level + random.normal() * kSpread / std::sqrt(1.0 + arm.stats->children) -
                                   kSpread * std::max(0, arm.stats->source_failures - 1)});
    std::ranges::stable_sort(draws, std::ranges::greater{}, &ParentDraw::value);
    return draws;
}

}  // namespace cultivar
