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

double shrunken_mean(const CandidateStandings& contenders, const CandidateStats& contender) {
    const CandidateStats* parent = contenders.best_of(contender.known->parents);
    if (parent == nullptr) return contender.mean;
    double runs = contender.runs();
    return (runs * contender.mean + kParentWeight * parent->mean) / (runs + kParentWeight);
}

double median_score(const CandidateStandings& contenders) {
    std::vector<double> means;
    for (const CandidateStats& contender : contenders.all()) {
        if (contender.scored()) means.push_back(contender.mean);
    }
    if (means.empty()) return 0;
    auto middle = means.begin() + static_cast<std::ptrdiff_t>(means.size() / 2);
    std::ranges::nth_element(means, middle);
    return *middle;
}

std::vector<const CandidateStats*> parents_of(const CandidateStandings& contenders) {
    std::vector<const CandidateStats*> parents;
    for (const CandidateStats& contender : contenders.all()) {
        if (contender.parent()) parents.push_back(&contender);
    }
    return parents;
}

std::vector<ParentArm> arms_of(const CandidateStandings& contenders, const std::vector<const CandidateStats*>& parents,
                               const std::function<double(const CandidateStats&)>& estimate) {
    std::vector<ParentArm> arms;
    for (const CandidateStats* parent : parents) arms.push_back({parent, estimate(*parent), 0});
    std::ranges::stable_sort(arms, {}, &ParentArm::shrunken);
    if (arms.size() > kArms) arms.resize(kArms);
    if (arms.empty()) return arms;
    double best = arms.front().shrunken, median = median_score(contenders);
    for (ParentArm& arm : arms)
        arm.level = median > best ? std::clamp((median - arm.shrunken) / (median - best), 0.0, 1.0)
                                  : static_cast<double>(arm.shrunken <= best);
    return arms;
}

}  // namespace

std::vector<ParentArm> parent_arms(const CandidateStandings& contenders) {
    return arms_of(contenders, parents_of(contenders),
                   [&](const CandidateStats& contender) { return shrunken_mean(contenders, contender); });
}

std::vector<ParentArm> parent_arms(const CandidateStandings& contenders,
                                   const std::function<double(const CandidateStats&)>& estimate) {
    std::vector<const CandidateStats*> parents = parents_of(contenders);
    const auto most = std::min(parents.size(), kEstimated);
    std::ranges::partial_sort(parents, parents.begin() + static_cast<std::ptrdiff_t>(most), {},
                              [](const CandidateStats* one) { return std::pair(one->mean, one); });
    parents.resize(most);
    return arms_of(contenders, parents, estimate);
}

double score_spread(const CandidateStandings& contenders) {
    const CandidateStats* best = contenders.best();
    return best == nullptr ? 0 : median_score(contenders) - best->mean;
}

std::vector<ParentDraw> draw_parents(const std::vector<ParentArm>& arms, Random& random) {
    std::vector<ParentDraw> draws;
    for (const ParentArm& arm : arms)
        draws.push_back({&arm, arm.level + random.normal() * kSpread / std::sqrt(1.0 + arm.contender->children)});
    std::ranges::stable_sort(draws, std::ranges::greater{}, &ParentDraw::value);
    return draws;
}

}  // namespace cultivar
