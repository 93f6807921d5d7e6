#include "bandit/model/feasibility.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cultivar {
namespace {

constexpr double kReach = 0.1, kReachOfAll = 0.15;     // of a gene's range: one gene alone, all genes
constexpr double kPriorFailed = 0.2, kPriorEnded = 2;  // runs, of the rate over all runs
constexpr double kRateWeight = 0.2;                    // runs that this rate counts for at a place
constexpr double kChance = 0.5;                        // prior probability of chance alone
constexpr std::size_t kMostPlaces = 128;
constexpr double kLeastWeight = 0.01;  // of an explanation, relative to the likeliest

}  // namespace

Feasibility::Feasibility(const Space& space, const CandidateTable& candidates) : space_(space) {
    double failed = 0, ended = 0;
    for (auto stats = candidates.all().rbegin(); stats != candidates.all().rend(); ++stats) {
        if (stats->known == nullptr || stats->own.empty() || places_.size() == kMostPlaces) continue;
        const auto failures = static_cast<double>(stats->failures());
        const auto others = static_cast<double>(std::ranges::count_if(stats->own, [](const Trial* trial) {
            return trial->status == RunStatus::done || trial->status == RunStatus::stopped;
        }));
        if (failures + others == 0) continue;
        failed += failures;
        ended += others;
        places_.push_back({to_point(space, stats->known->candidate.genes), failures, others});
    }
    if (failed == 0) places_.clear();
    if (places_.empty()) return;
    rate_ = (kPriorFailed + failed) / (kPriorFailed + kPriorEnded + failed + ended);
    weigh_explanations();
}

void Feasibility::weigh_explanations() {
    std::vector<std::size_t> genes(space_.genes().size());
    std::iota(genes.begin(), genes.end(), std::size_t{0});
    const double share = (1 - kChance) / 2;
    explanations_.push_back({{}, std::log(kChance)});
    if (genes.size() > 1) explanations_.push_back({genes, std::log(share)});
    for (const std::size_t gene : genes)
        explanations_.push_back({{gene}, std::log(share / static_cast<double>(genes.size()))});
    double highest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (Explanation& one : explanations_) highest = std::max(highest, one.weight += log_likelihood(one));
    for (Explanation& one : explanations_) one.weight = std::exp(one.weight - highest);
    std::erase_if(explanations_, [](const Explanation& one) { return one.weight < kLeastWeight; });
    for (const Explanation& one : explanations_) sum += one.weight;
    for (Explanation& one : explanations_) one.weight /= sum;
}

double Feasibility::nearness(const Explanation& by, const Point& a, const Point& b) const {
    double square = 0;
    for (const std::size_t gene : by.genes) {
        const bool absent = a[gene] == kAbsent || b[gene] == kAbsent;
        const double gap = a[gene] == b[gene] ? 0 : absent || !ordered(space_.genes()[gene]) ? 1 : a[gene] - b[gene];
        square += gap * gap;
    }
    const double reach = by.genes.size() > 1 ? kReachOfAll : kReach;
    return std::exp(-square / (2 * reach * reach * static_cast<double>(by.genes.size())));
}

double Feasibility::rate_near(const Explanation& by, const Point& point, const Place* without) const {
    if (by.genes.empty()) return rate_;
    double failed = kRateWeight * rate_, all = kRateWeight;
    for (const Place& place : places_) {
        if (&place == without) continue;
        const double near = nearness(by, point, place.point);
        failed += near * place.failed;
        all += near * (place.failed + place.ended);
    }
    return failed / all;
}

double Feasibility::log_likelihood(const Explanation& by) const {
    double sum = 0;
    for (const Place& place : places_) {
        const double rate = rate_near(by, place.point, &place);
        sum += place.failed * std::log(rate) + place.ended * std::log1p(-rate);
    }
    return sum;
}

double Feasibility::failure(const Genes& genes) const {
    if (places_.empty()) return 0;
    const Point point = to_point(space_, genes);
    double sum = 0;
    for (const Explanation& one : explanations_) sum += one.weight * rate_near(one, point, nullptr);
    return sum;
}

}  // namespace cultivar
