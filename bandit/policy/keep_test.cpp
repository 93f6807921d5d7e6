#include "bandit/policy/keep_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include "bandit/history/candidate_stats.h"

namespace cultivar {
namespace {

constexpr double kPriorShare = 0.002;
constexpr double kPoolWeight = 2;    // degrees of freedom of a prior that includes other categories
constexpr double kMostOfWriter = 3;  // degrees of freedom
constexpr double kFloorShare = 1e-6;
constexpr double kMostShownZ = 9;

double log_of_variance_bias(double degrees) {  // ln(d / 2) - digamma(d / 2)
    return 1 / degrees + 1 / (3 * degrees * degrees);
}

// The replicates of one writer in another category.
struct Replicates {
    double squares = 0, best = std::numeric_limits<double>::infinity();
    int degrees = 0;

    void add(const std::vector<double>& scores) {
        const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
        for (double score : scores) squares += (score - mean) * (score - mean);
        degrees += static_cast<int>(scores.size()) - 1;
        best = std::min(best, mean);
    }
};

// The prior of sigma, relative to the best score.
struct Prior {
    double log_share = std::log(kPriorShare);
    double weight = 1;  // degrees of freedom
};

// Category and writer; the writer is "" for trusted runs.
using CategoryWriter = std::pair<std::string_view, std::string_view>;

Prior prior_of(const CandidateTable& candidates) {
    std::map<CategoryWriter, Replicates> writers;
    for (const CandidateStats& stats : candidates.all()) {
        std::map<CategoryWriter, std::vector<double>> scores;
        for (const Trial* trial : stats.elsewhere) {
            if (trial->status != RunStatus::done || !std::isfinite(trial->score)) continue;
            scores[{trial->category, trial->trusted ? std::string_view() : trial->writer}].push_back(trial->score);
        }
        for (const auto& [writer, values] : scores) writers[writer].add(values);
    }
    const double guess = std::log(kPriorShare);
    double sum = guess, weights = 1;
    for (const auto& [writer, of] : writers) {
        if (of.degrees == 0 || of.best == 0) continue;
        const double variance = of.squares / of.degrees / (of.best * of.best);
        double log_share =
            (std::log(std::max(variance, kFloorShare * kFloorShare)) + log_of_variance_bias(of.degrees)) / 2;
        if (!writer.second.empty()) log_share = std::clamp(log_share, guess - 1, guess + 1);
        const double weight = std::min(static_cast<double>(of.degrees), kMostOfWriter);
        sum += weight * log_share;
        weights += weight;
    }
    if (weights == 1) return {};
    return {sum / weights, kPoolWeight};
}

// Returns the most likely sigma, given the pooled deviation of the replicates and a Cauchy prior of scale 1 around ln
// `guess`; pooled >= guess > 0. The slope of the log posterior in u = ln(sigma / guess) falls from positive at u = 0 to
// negative at ln(pooled / guess), or is 0 at both.
double most_likely(double guess, double pooled, int degrees) {
    double low = 0, high = std::log(pooled / guess);
    const double ratio = pooled / guess;
    for (int halving = 0; halving < 60; ++halving) {
        const double u = (low + high) / 2, part = ratio * std::exp(-u);
        const double slope = degrees * (part * part - 1) - 2 * u / (1 + u * u);
        (slope > 0 ? low : high) = u;
    }
    return guess * std::exp(low);
}

std::string runs_text(int runs) { return fmt::format("{} run{}", runs, runs == 1 ? "" : "s"); }

std::string z_text(double z) {
    return std::abs(z) > kMostShownZ ? fmt::format("z {} {:g}", z > 0 ? '>' : '<', std::copysign(kMostShownZ, z))
                                     : fmt::format("z = {:.1f}", z);
}

std::string figures_text(const ScoreText& text, const CandidateStats& child, const Noise& noise, bool compared) {
    const std::string runs = runs_text(child.runs()), mean = text.of(child.mean);
    if (noise.declared_none) return fmt::format("{} ({})", mean, runs);
    if (!noise.known()) return fmt::format("{} ({}{})", mean, runs, compared ? "" : ", noise unknown");
    return fmt::format("{} +- {} ({})", mean, text.error(noise.sigma / std::sqrt(child.runs())), runs);
}

// Applies the rule of the race. `attempts` counts runs of any status, so that a candidate that keeps failing is decided
// too.
Decision decide(double z, int runs, std::size_t attempts, bool was_kept) {
    if (z < 0) return Decision::reverted;
    if (was_kept || (z > 3) || (z > 2 && runs >= 2)) return Decision::kept;
    if (runs < kMaxChallengerRuns && attempts < kMaxChallengerRuns) return Decision::undecided;
    return z > 1 ? Decision::kept : Decision::reverted;
}

// The rule without a sigma, where each has one run: the sign of the difference is all that is known.
Decision decide_by_sign(double gain, std::size_t attempts, bool was_kept) {
    if (gain < 0) return Decision::reverted;
    if (was_kept) return Decision::kept;
    return attempts < kMaxChallengerRuns ? Decision::undecided : Decision::reverted;
}

// The decision that stood before the newest run.
Decision decision_before(const CandidateStats& child) {
    return decision_of(std::span(child.own).first(child.own.size() - std::min<std::size_t>(1, child.own.size())));
}

Judgement judge_unscored(const ScoreText& text, const Trial& newest) {
    if (newest.status == RunStatus::stopped)
        return {Decision::reverted, std::nullopt,
                fmt::format("stopped as hopeless, its curve pointed to {}", text.of(newest.score))};
    return {Decision::none, std::nullopt, "no score"};
}

}  // namespace

Noise estimate_noise(const CandidateTable& candidates) {
    if (candidates.noiseless()) return {.declared_none = true};
    double best = std::numeric_limits<double>::infinity(), squares = 0;
    int degrees = 0;
    for (const CandidateStats& stats : candidates.all()) {
        if (!stats.scored()) continue;
        best = std::min(best, stats.mean);
        // Not of stats.mean, which may be that of a part of them.
        const double mean = std::accumulate(stats.scores.begin(), stats.scores.end(), 0.0) / stats.runs();
        for (double score : stats.scores) squares += (score - mean) * (score - mean);
        degrees += stats.runs() - 1;
    }
    const Prior prior = prior_of(candidates);
    const double scale = std::isfinite(best) && best != 0 ? std::abs(best) : 1, floor = kFloorShare * scale;
    const double log_prior = prior.log_share + std::log(scale);
    if (degrees == 0) return {std::max(std::exp(log_prior), floor), 0};
    const double pooled = std::max(std::sqrt(squares / degrees), floor);
    const double log_variance =
        (prior.weight * 2 * log_prior + degrees * (2 * std::log(pooled) + log_of_variance_bias(degrees))) /
        (prior.weight + degrees);
    double sigma = std::exp(log_variance / 2);
    if (const double guess = std::exp(log_prior); pooled > guess)
        sigma = std::max(sigma, most_likely(guess, pooled, degrees));
    return {std::max(sigma, floor), degrees};
}

Noise estimate_noise(const History& history) { return estimate_noise(CandidateTable(history)); }

Judgement judge(const History& history, const std::string& candidate, const std::vector<std::string>& parents) {
    CandidateTable candidates(history);
    const CandidateStats* child = candidates.find(candidate);
    if (child == nullptr || child->own.empty()) return {Decision::none, std::nullopt, "no run to judge"};
    const Trial& newest = *child->own.back();
    bool was_kept = decision_before(*child) == Decision::kept;
    if (newest.status != RunStatus::done && was_kept) return {Decision::kept, std::nullopt, "kept by its earlier runs"};
    if (!child->scored() || newest.status == RunStatus::stopped) return judge_unscored(history.text, newest);

    const Noise noise = estimate_noise(candidates);
    const double sigma = noise.known() ? noise.sigma : 0;
    const ScoreText score = history.text.with_noise(sigma);
    const CandidateStats* parent = candidates.best_of(parents);
    const std::string figures = figures_text(score, *child, noise, parent != nullptr);
    if (parent == nullptr) {
        const char* why = parents.empty() ? "no parents" : "no parent has a score here";
        return {Decision::kept, std::nullopt, fmt::format("{}, {}", figures, why), sigma};
    }
    const double gain = parent->mean - child->mean;
    const std::string against =
        fmt::format("{} against parent {} {} ({})", figures, short_id(parent->own.front()->candidate),
                    score.of(parent->mean), runs_text(parent->runs()));
    if (noise.declared_none)
        return {gain > 0 ? Decision::kept : Decision::reverted, std::nullopt, against + ", no noise by the task"};
    if (!noise.known())
        return {decide_by_sign(gain, child->own.size(), was_kept), std::nullopt, against + ", noise unknown"};
    const double z = gain / (noise.sigma * std::sqrt(1.0 / parent->runs() + 1.0 / child->runs()));
    return {decide(z, child->runs(), child->own.size(), was_kept), z, fmt::format("{}, {}", against, z_text(z)), sigma};
}

}  // namespace cultivar
