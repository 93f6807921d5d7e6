#include "bandit/policy/early_stopping.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "bandit/history/candidate_stats.h"
#include "bandit/space/random.h"

namespace cultivar {
namespace {

constexpr int kLooks = 20;  // checks in a budget
constexpr int kFirstLook = 2;
constexpr std::size_t kFewest = 6;    // completed curves
constexpr std::size_t kSimilar = 20;  // curves
constexpr double kMostOptimism = 4;
constexpr std::uint64_t kOneIn = 50;  // candidates is never stopped

double scaled(double loss, bool plain) { return plain ? loss : std::log(loss); }
double unscaled(double value, bool plain) { return plain ? value : std::exp(value); }

// Returns the scaled train loss at a time, linear between points; nothing before the first and after the last point.
std::optional<double> loss_at(const std::vector<CurvePoint>& curve, double elapsed_s, bool plain) {
    auto after = std::ranges::lower_bound(curve, elapsed_s, {}, &CurvePoint::elapsed_s);
    if (after == curve.end() || (after == curve.begin() && after->elapsed_s > elapsed_s)) return std::nullopt;
    if (!plain && !(after->train_loss > 0)) return std::nullopt;
    if (after == curve.begin() || after->elapsed_s == elapsed_s) return scaled(after->train_loss, plain);
    auto before = after - 1;
    if (!plain && !(before->train_loss > 0)) return std::nullopt;
    double share = (elapsed_s - before->elapsed_s) / (after->elapsed_s - before->elapsed_s);
    return std::lerp(scaled(before->train_loss, plain), scaled(after->train_loss, plain), share);
}

bool above_0(const std::vector<CurvePoint>& curve) {
    return std::ranges::all_of(curve, [](const CurvePoint& point) { return point.train_loss > 0; });
}

double median(std::vector<double> values) {
    auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

// True for candidates that are never stopped: the same ones on every machine.
bool let_run(std::string_view candidate) {
    std::uint64_t state = 0;
    for (char letter : candidate) state = splitmix64(state) ^ static_cast<unsigned char>(letter);
    return splitmix64(state) % kOneIn == 0;
}

}  // namespace

// Estimates from the completed runs nearest to a loss. The runs of a check are sorted by loss, so that the nearest are
// a range [begin, end); one run may be left out.
struct StoppingRule::Learner {
    static std::span<const Completed> nearest(const std::vector<Completed>& all, double now) {
        auto middle = std::ranges::lower_bound(all, now, {}, &Completed::now) - all.begin();
        auto begin = static_cast<std::size_t>(middle), end = begin;
        while (end - begin < kSimilar && end - begin < all.size()) {
            bool below = end == all.size() || (begin > 0 && now - all[begin - 1].now <= all[end].now - now);
            below ? --begin : ++end;
        }
        return std::span(all).subspan(begin, end - begin);
    }

    // A curve that only rose predicts no gain, but never counts against the run.
    static double largest_gain(std::span<const Completed> runs) {
        double largest = 0;
        for (const Completed& run : runs) largest = std::max(largest, run.now - run.last);
        return largest;
    }

    // Returns the optimism that run `own` needs to be spared at this check, judged by the other runs; 0 if it is in no
    // danger.
    static double needed(const Look& look, std::size_t own) {
        const Completed& run = look.completed[own];
        const double gain = run.now - run.last;
        if (run.now <= look.median || own + 1 == look.completed.size() || gain <= 0) return 0;
        // The nearest runs are among the kSimilar on either side of it.
        std::size_t begin = own > kSimilar ? own - kSimilar : 0;
        std::size_t end = std::min(own + kSimilar + 1, look.completed.size());
        std::vector<Completed> others(look.completed.begin() + static_cast<std::ptrdiff_t>(begin),
                                      look.completed.begin() + static_cast<std::ptrdiff_t>(end));
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(own - begin));
        const double largest = largest_gain(nearest(others, run.now));
        return largest > 0 ? std::min(gain / largest, kMostOptimism) : kMostOptimism;
    }
};

StoppingRule::StoppingRule(const History& history, double budget_s) : budget_s_(budget_s), text_(history.text) {
    if (!(budget_s > 0)) return;
    CandidateTable candidates(history);
    std::vector<const Trial*> runs;
    double best_score = std::numeric_limits<double>::infinity();
    std::vector<double> scores;
    for (const Trial& trial : history.trials) {
        if (!trial.trusted || trial.claimed || trial.curve.empty() || candidates.of(trial) == nullptr) continue;
        runs.push_back(&trial);
    }
    plain_ =
        history.text.any_metric() && !std::ranges::all_of(runs, [](const Trial* run) { return above_0(run->curve); });
    auto completed = [this](const Trial& trial) {
        return trial.status == RunStatus::done && std::isfinite(trial.score) &&
               (plain_ || trial.curve.back().train_loss > 0);
    };
    for (const Trial* trial : runs) {
        if (!completed(*trial)) continue;
        scores.push_back(trial->score);
        if (trial->score >= best_score) continue;
        best_score = trial->score;
        best_last_ = scaled(trial->curve.back().train_loss, plain_);
    }
    if (scores.size() < kFewest) return;
    const double middle_score = median(scores);
    for (int number = kFirstLook; number < kLooks; ++number) {
        Look& look = looks_.emplace_back();
        look.at_s = budget_s * number / kLooks;
        std::vector<double> reached;
        for (const Trial* trial : runs) {
            auto now = loss_at(trial->curve, look.at_s, plain_);
            if (!now) continue;
            reached.push_back(*now);
            if (completed(*trial))
                look.completed.push_back({*now, scaled(trial->curve.back().train_loss, plain_), trial->score});
        }
        if (!reached.empty()) look.median = median(reached);
        std::ranges::stable_sort(look.completed, {}, &Completed::now);
    }
    optimism_ = 1 + kStoppingMargin / static_cast<double>(scores.size());
    for (const Look& look : looks_) {
        for (std::size_t i = 0; i < look.completed.size(); ++i) {
            if (look.completed[i].score <= middle_score) optimism_ = std::max(optimism_, Learner::needed(look, i));
        }
    }
}

std::optional<StopDecision> StoppingRule::hopeless(std::string_view candidate,
                                                   const std::vector<CurvePoint>& curve) const {
    if (curve.empty() || looks_.empty() || let_run(candidate)) return std::nullopt;
    int number =
        static_cast<int>(std::min(std::floor(curve.back().elapsed_s / budget_s_ * kLooks + 1e-9), kLooks - 1.0));
    if (number < kFirstLook) return std::nullopt;
    const Look& look = looks_[static_cast<std::size_t>(number - kFirstLook)];
    auto now = loss_at(curve, look.at_s, plain_);
    if (!now || look.completed.size() < kFewest) return std::nullopt;
    if (*now <= look.median || *now > look.completed.back().now) return std::nullopt;

    auto similar = Learner::nearest(look.completed, *now);
    double hoped = *now - optimism_ * Learner::largest_gain(similar);
    if (hoped <= best_last_) return std::nullopt;
    std::vector<double> gains, ratios;
    for (const Completed& run : similar) {
        gains.push_back(run.now - run.last);
        ratios.push_back(plain_ ? run.score - run.last : run.score / std::exp(run.last));
    }
    const double last = unscaled(*now - median(gains), plain_);
    const double expected = plain_ ? last + median(ratios) : last * median(ratios);
    auto text = [&](double value) { return text_.of(unscaled(value, plain_)); };
    return StopDecision{
        expected,
        fmt::format("{} {} at {:.0f} % is {} the median {}, and at best {} at the end against {} of the best run",
                    text_.any_metric() ? "running score" : "train loss", text(*now), 100.0 * number / kLooks,
                    text_.any_metric() ? "worse than" : "above", text(look.median), text(hoped), text(best_last_))};
}

}  // namespace cultivar
