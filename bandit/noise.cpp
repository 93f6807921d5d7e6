#include "bandit/noise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bandit/contenders.h"

namespace cultivar {
namespace {

constexpr double kPriorShare = 0.002;
constexpr double kPriorWeight = 1;  // degrees of freedom
constexpr double kFloorShare = 1e-6;

std::string runs_text(int runs) { return fmt::format("{} run{}", runs, runs == 1 ? "" : "s"); }

// The rule of the race. `attempts` counts runs of any status, so that a candidate that keeps dying is decided too.
Decision decide(double z, int runs, std::size_t attempts, bool was_kept) {
    if (z < 0) return Decision::reverted;
    if (was_kept || (z > 3) || (z > 2 && runs >= 2)) return Decision::kept;
    if (runs < kMaxChallengerRuns && attempts < kMaxChallengerRuns) return Decision::undecided;
    return z > 1 ? Decision::kept : Decision::reverted;
}

// The decision that stood before the newest run.
Decision decision_before(const Contender& child) {
    Decision decision = Decision::none;
    for (std::size_t i = 0; i + 1 < child.own.size(); ++i) {
        if (child.own[i]->decision != Decision::none) decision = child.own[i]->decision;
    }
    return decision;
}

Judgement judge_unscored(const Trial& newest) {
    if (newest.status == RunStatus::stopped)
        return {Decision::reverted, 0, fmt::format("stopped as hopeless, its curve pointed to {:.4f}", newest.score)};
    return {Decision::none, 0, "no score"};
}

}  // namespace

Noise estimate_noise(const Contenders& contenders) {
    double best = std::numeric_limits<double>::infinity(), squares = 0;
    int degrees = 0;
    for (const Contender& contender : contenders.all()) {
        if (!contender.scored()) continue;
        best = std::min(best, contender.mean);
        for (double score : contender.scores) squares += (score - contender.mean) * (score - contender.mean);
        degrees += contender.runs() - 1;
    }
    double scale = std::isfinite(best) && best != 0 ? std::abs(best) : 1;
    double prior = kPriorShare * scale, floor = kFloorShare * scale;
    if (degrees == 0) return {prior, 0};
    double pooled = std::max(std::sqrt(squares / degrees), floor);
    double bias = 1.0 / degrees + 1.0 / (3.0 * degrees * degrees);  // ln(d/2) - digamma(d/2)
    double log_variance =
        (kPriorWeight * 2 * std::log(prior) + degrees * (2 * std::log(pooled) + bias)) / (kPriorWeight + degrees);
    return {std::max(std::exp(log_variance / 2), floor), degrees};
}

Noise estimate_noise(const History& history) { return estimate_noise(Contenders(history)); }

Judgement judge(const History& history, const std::string& candidate, const std::vector<std::string>& parents) {
    Contenders contenders(history);
    const Contender* child = contenders.find(candidate);
    if (child == nullptr || child->own.empty()) return {Decision::none, 0, "no run to judge"};
    const Trial& newest = *child->own.back();
    bool was_kept = decision_before(*child) == Decision::kept;
    if (newest.status != RunStatus::done && was_kept) return {Decision::kept, 0, "kept by its earlier runs"};
    if (!child->scored() || newest.status == RunStatus::stopped) return judge_unscored(newest);

    double sigma = estimate_noise(contenders).sigma;
    std::string figures =
        fmt::format("{:.4f} +- {:.4f} ({})", child->mean, sigma / std::sqrt(child->runs()), runs_text(child->runs()));
    const Contender* parent = contenders.best_of(parents);
    if (parent == nullptr) {
        const char* why = parents.empty() ? "no parents" : "no parent has a score here";
        return {Decision::kept, 0, fmt::format("{}, {}", figures, why)};
    }
    double error = sigma * std::sqrt(1.0 / parent->runs() + 1.0 / child->runs());
    double z = (parent->mean - child->mean) / error;
    std::string_view parent_id = parent->own.front()->candidate;
    return {decide(z, child->runs(), child->own.size(), was_kept), z,
            fmt::format("{} against parent {} {:.4f} ({}), z = {:.1f}", figures, short_id(parent_id), parent->mean,
                        runs_text(parent->runs()), z)};
}

}  // namespace cultivar
