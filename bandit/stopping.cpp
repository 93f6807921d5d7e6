#include "bandit/stopping.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bandit/contenders.h"

namespace cultivar {
namespace {

constexpr std::size_t kFewest = 8;    // completed curves
constexpr std::size_t kSimilar = 20;  // curves
constexpr double kOptimism = 1.25;

// ln of the train loss at a time, between points linearly; nothing before the first and after the last point.
std::optional<double> log_loss_at(const std::vector<CurvePoint>& curve, double elapsed_s) {
    auto after = std::ranges::find_if(curve, [&](const CurvePoint& point) { return point.elapsed_s >= elapsed_s; });
    if (after == curve.end() || (after == curve.begin() && after->elapsed_s > elapsed_s)) return std::nullopt;
    if (!(after->train_loss > 0)) return std::nullopt;
    if (after == curve.begin() || after->elapsed_s == elapsed_s) return std::log(after->train_loss);
    auto before = after - 1;
    if (!(before->train_loss > 0)) return std::nullopt;
    double share = (elapsed_s - before->elapsed_s) / (after->elapsed_s - before->elapsed_s);
    return std::lerp(std::log(before->train_loss), std::log(after->train_loss), share);
}

struct Completed {
    double now = 0;   // ln loss at this time
    double last = 0;  // ln loss at the end
    double score = 0;
};

double median(std::vector<double> values) {
    auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

}  // namespace

std::optional<Hopeless> hopeless(const History& history, const std::vector<CurvePoint>& curve, double budget_s) {
    if (curve.empty() || !(budget_s > 0)) return std::nullopt;
    double tenths = std::min(std::floor(curve.back().elapsed_s / budget_s * 10 + 1e-9), 9.0);
    double at_s = tenths / 10 * budget_s;
    auto now = log_loss_at(curve, at_s);
    if (tenths < 1 || !now) return std::nullopt;

    Contenders contenders(history);
    std::vector<double> reached;
    std::vector<Completed> completed;
    for (const Trial& trial : history.trials) {
        if (!trial.own || contenders.find(trial.candidate) == nullptr) continue;
        auto then = log_loss_at(trial.curve, at_s);
        if (!then) continue;
        reached.push_back(*then);
        double last = trial.curve.back().train_loss;
        if (trial.status == RunStatus::done && last > 0) completed.push_back({*then, std::log(last), trial.score});
    }
    if (completed.size() < kFewest) return std::nullopt;
    double middle = median(reached);
    if (*now <= middle) return std::nullopt;

    const Completed best = *std::ranges::min_element(completed, {}, &Completed::score);
    std::ranges::stable_sort(completed, {}, [&](const Completed& run) { return std::abs(run.now - *now); });
    completed.resize(std::min(completed.size(), kSimilar));
    double largest = -std::numeric_limits<double>::infinity();
    std::vector<double> gains, ratios;
    for (const Completed& run : completed) {
        gains.push_back(run.now - run.last);
        ratios.push_back(run.score / std::exp(run.last));
        largest = std::max(largest, gains.back());
    }
    // A curve that only ever rose promises nothing, but never counts against the run.
    double hoped = *now - kOptimism * std::max(largest, 0.0);
    if (hoped <= best.last) return std::nullopt;
    double expected = std::exp(*now - median(gains)) * median(ratios);
    return Hopeless{expected,
                    fmt::format("train loss {:.4f} at {:.0f} % is above the median {:.4f}, and at best {:.4f} "
                                "at the end against {:.4f} of the best run",
                                std::exp(*now), 10 * tenths, std::exp(middle), std::exp(hoped), std::exp(best.last))};
}

}  // namespace cultivar
