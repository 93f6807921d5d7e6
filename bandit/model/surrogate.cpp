#include "bandit/model/surrogate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "eval/statistics/significance.h"

namespace cultivar {

struct Ranking {
    const std::vector<Observation>& observations;
    std::vector<std::size_t> by_score;

    // Returns the normal quantile of the rank at `place` of by_score. Equal scores share their mean rank.
    double value(std::size_t place) const {
        auto score_of = [&](std::size_t index) { return observations[index].score; };
        const double score = score_of(by_score[place]);
        const auto first = std::ranges::lower_bound(by_score, score, {}, score_of);
        const auto last = std::ranges::upper_bound(by_score, score, {}, score_of);
        const auto both = (first - by_score.begin()) + (last - by_score.begin());
        return normal_quantile(static_cast<double>(both) / 2 / static_cast<double>(by_score.size()));
    }
};

namespace {

constexpr std::size_t kMost = 160, kMostOfSource = 96;
constexpr std::size_t kFitted = 64, kFittedOfSource = 40;
constexpr std::size_t kLeading = 40;  // candidates for the best
constexpr std::size_t kFantasies = 16;
constexpr double kUsualLength = 0.75;      // times the square root of the number of genes
constexpr double kLengthOfSize = 1.1;      // the longest prior length of a size
constexpr std::size_t kMostInFlight = 64;  // runs imagined; limited because leases are unverified

Ranking rank(const std::vector<Observation>& observations) {
    std::vector<std::pair<double, std::size_t>> scores;
    scores.reserve(observations.size());
    for (std::size_t i = 0; i < observations.size(); ++i) scores.emplace_back(observations[i].score, i);
    std::ranges::sort(scores);
    Ranking ranking{observations, {}};
    ranking.by_score.reserve(scores.size());
    for (const auto& [score, index] : scores) ranking.by_score.push_back(index);
    return ranking;
}

// Returns places in the ranking: the best and the newest in turn.
std::vector<std::size_t> most_telling(const std::vector<std::size_t>& by_score, std::size_t most) {
    std::vector<std::size_t> place_of(by_score.size());
    for (std::size_t place = 0; place < by_score.size(); ++place) place_of[by_score[place]] = place;
    std::vector<bool> taken(by_score.size());
    std::vector<std::size_t> places;
    std::size_t best = 0, newest = by_score.size();
    auto take = [&](std::size_t place) {
        if (taken[place] || places.size() == most) return;
        taken[place] = true;
        places.push_back(place);
    };
    while (places.size() < std::min(most, by_score.size())) {
        while (taken[best]) ++best;
        take(best);
        while (newest > 0 && taken[place_of[newest - 1]]) --newest;
        if (newest > 0) take(place_of[--newest]);
    }
    return places;
}

std::vector<Axis> axes_of(const Space& space) {
    const double usual = kUsualLength * std::sqrt(static_cast<double>(space.genes().size()));
    std::vector<Axis> axes;
    for (const Gene& gene : space.genes())
        axes.push_back({ordered(gene), is_size(gene) ? std::min(kLengthOfSize, usual) : usual});
    return axes;
}

std::vector<double> hints_of(const std::vector<GaussianProcess>& hinters, const Point& point) {
    std::vector<double> hints;
    hints.reserve(hinters.size());
    for (const GaussianProcess& hinter : hinters) hints.push_back(hinter.mean(point));
    return hints;
}

std::vector<Sample> samples_of(const Space& space, const Ranking& ranking, std::size_t most,
                               const std::vector<GaussianProcess>& hinters) {
    std::vector<Sample> samples;
    for (std::size_t place : most_telling(ranking.by_score, most)) {
        const Observation& one = ranking.observations[ranking.by_score[place]];
        Point point = to_point(space, *one.genes);
        std::vector<double> hints = hints_of(hinters, point);
        samples.push_back({std::move(point), ranking.value(place), one.weight * one.runs, std::move(hints)});
    }
    return samples;
}

std::vector<GaussianProcess> hinters_of(const Space& space, const std::vector<HintSource>& sources) {
    std::vector<GaussianProcess> hinters;
    hinters.reserve(sources.size());
    for (const HintSource& source : sources)
        hinters.emplace_back(axes_of(space), samples_of(space, rank(source.results), kMostOfSource, {}),
                             kFittedOfSource);
    return hinters;
}

// ln(u cdf(u) + pdf(u)); uses the expansion of the tail where the sum would be 0.
double log_improvement(double u) {
    constexpr double kTail = -5;
    double log_density = -0.5 * u * u - 0.5 * std::log(2 * M_PI);
    if (u < kTail) return log_density - 2 * std::log(-u);
    return std::log(u * normal_cdf(u) + std::exp(log_density));
}

// Returns ln of the mean of exp(logs). `logs` is not empty.
double log_mean(const std::vector<double>& logs) {
    const double highest = std::ranges::max(logs);
    double sum = 0;
    for (double one : logs) sum += std::exp(one - highest);
    return highest + std::log(sum / static_cast<double>(logs.size()));
}

}  // namespace

Surrogate::Surrogate(const Space& space, const std::vector<Observation>& observations,
                     const std::vector<const Genes*>& in_flight, const std::vector<HintSource>& sources)
    : Surrogate(rank(observations), space, observations, hinters_of(space, sources)) {
    std::vector<Sample> under_way;
    for (std::size_t i = in_flight.size() - std::min(in_flight.size(), kMostInFlight); i < in_flight.size(); ++i) {
        Point point = to_point(space, *in_flight[i]);
        std::vector<double> hints = hints_at(point);
        leading_.push_back(point);
        under_way.push_back({std::move(point), 0, 1, std::move(hints)});
    }
    process_.fantasize(std::move(under_way), kFantasies);
    for (const Point& point : leading_) {
        const std::vector<double> means = process_.at(point, hints_at(point)).fantasies;
        bests_.resize(means.size(), std::numeric_limits<double>::infinity());
        for (std::size_t future = 0; future < means.size(); ++future)
            bests_[future] = std::min(bests_[future], means[future]);
    }
}

Surrogate::Surrogate(const Ranking& ranking, const Space& space, const std::vector<Observation>& observations,
                     std::vector<GaussianProcess> hinters)
    : space_(space),
      hinters_(std::move(hinters)),
      process_(axes_of(space), samples_of(space, ranking, kMost, hinters_), kFitted) {
    scores_.reserve(observations.size());
    for (std::size_t index : ranking.by_score) {
        if (!std::isfinite(observations[index].score)) break;
        if (scores_.size() < kLeading) leading_.push_back(to_point(space, *observations[index].genes));
        scores_.push_back(observations[index].score);
    }
    count_ = static_cast<double>(observations.size());
}

std::vector<double> Surrogate::hints_at(const Point& point) const { return hints_of(hinters_, point); }

double Surrogate::acquisition(const Genes& genes) const {
    Point point = to_point(space_, genes);
    const Prediction prediction = process_.at(point, hints_at(point));
    std::vector<double> logs;
    for (std::size_t future = 0; future < bests_.size(); ++future)
        logs.push_back(log_improvement((bests_[future] - prediction.fantasies[future]) / prediction.deviation));
    return std::log(prediction.deviation) + log_mean(logs);
}

double Surrogate::expected(const Genes& genes) const {
    Point point = to_point(space_, genes);
    const double place = std::clamp(normal_cdf(process_.mean(point, hints_at(point))) * count_ - 0.5, 0.0,
                                    static_cast<double>(scores_.size() - 1));
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, scores_.size() - 1);
    return std::lerp(scores_[below], scores_[above], place - static_cast<double>(below));
}

}  // namespace cultivar
