#include "bandit/surrogate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "eval/significance.h"

namespace cultivar {

struct Ranking {
    std::vector<std::size_t> by_score;
    std::vector<double> values;  // the normal quantile of each observation's rank; equal scores share their ranks' mean
};

namespace {

constexpr std::size_t kMost = 160;
constexpr std::size_t kLeading = 40;  // the first of them that may be the best

Ranking rank(const std::vector<Observation>& observations) {
    Ranking ranking{std::vector<std::size_t>(observations.size()), std::vector<double>(observations.size())};
    std::vector<std::size_t>& by_score = ranking.by_score;
    std::iota(by_score.begin(), by_score.end(), std::size_t{0});
    std::ranges::stable_sort(by_score, {}, [&](std::size_t i) { return observations[i].score; });
    auto count = static_cast<double>(by_score.size());
    for (std::size_t first = 0; first < by_score.size();) {
        std::size_t last = first;
        while (last < by_score.size() && observations[by_score[last]].score == observations[by_score[first]].score)
            ++last;
        double value = normal_quantile(static_cast<double>(first + last) / 2 / count);
        for (; first < last; ++first) ranking.values[by_score[first]] = value;
    }
    return ranking;
}

// The best and the newest in turn.
std::vector<std::size_t> most_telling(const std::vector<std::size_t>& by_score) {
    std::vector<bool> taken(by_score.size());
    std::vector<std::size_t> chosen;
    std::size_t best = 0, newest = by_score.size();
    auto take = [&](std::size_t index) {
        if (taken[index] || chosen.size() == kMost) return;
        taken[index] = true;
        chosen.push_back(index);
    };
    while (chosen.size() < std::min(kMost, by_score.size())) {
        while (taken[by_score[best]]) ++best;
        take(by_score[best]);
        while (newest > 0 && taken[newest - 1]) --newest;
        if (newest > 0) take(--newest);
    }
    return chosen;
}

std::vector<bool> orderedness(const Space& space) {
    std::vector<bool> result;
    for (const Gene& gene : space.genes()) result.push_back(ordered(gene));
    return result;
}

std::vector<Sample> samples_of(const Space& space, const std::vector<Observation>& observations,
                               const Ranking& ranking) {
    std::vector<Sample> samples;
    for (std::size_t index : most_telling(ranking.by_score)) {
        const Observation& one = observations[index];
        samples.push_back({to_point(space, *one.genes), ranking.values[index], one.weight * one.runs});
    }
    return samples;
}

// ln(u cdf(u) + pdf(u)), with its tail's expansion where that would be 0.
double log_improvement(double u) {
    constexpr double kTail = -5;
    double log_density = -0.5 * u * u - 0.5 * std::log(2 * M_PI);
    if (u < kTail) return log_density - 2 * std::log(-u);
    return std::log(u * normal_cdf(u) + std::exp(log_density));
}

}  // namespace

Surrogate::Surrogate(const Space& space, const std::vector<Observation>& observations,
                     const std::vector<const Genes*>& in_flight)
    : Surrogate(rank(observations), space, observations) {
    std::vector<Point> points;
    for (const Genes* genes : in_flight) points.push_back(to_point(space, *genes));
    process_.believe(points);
}

Surrogate::Surrogate(const Ranking& ranking, const Space& space, const std::vector<Observation>& observations)
    : space_(space), process_(orderedness(space), samples_of(space, observations, ranking)) {
    best_ = std::numeric_limits<double>::infinity();
    for (std::size_t index : ranking.by_score) {
        if (!std::isfinite(observations[index].score)) break;
        if (scale_.size() < kLeading)
            best_ = std::min(best_, process_.at(to_point(space, *observations[index].genes)).mean);
        scale_.emplace_back(ranking.values[index], observations[index].score);
    }
}

double Surrogate::promise(const Genes& genes) const {
    Prediction prediction = process_.at(to_point(space_, genes));
    return std::log(prediction.deviation) + log_improvement((best_ - prediction.mean) / prediction.deviation);
}

double Surrogate::expected(const Genes& genes) const {
    double mean = process_.at(to_point(space_, genes)).mean;
    auto above = std::ranges::lower_bound(scale_, mean, {}, &std::pair<double, double>::first);
    if (above == scale_.begin()) return scale_.front().second;
    if (above == scale_.end()) return scale_.back().second;
    auto below = std::prev(above);
    double width = above->first - below->first;
    double share = width > 0 ? (mean - below->first) / width : 0;
    return below->second + share * (above->second - below->second);
}

}  // namespace cultivar
