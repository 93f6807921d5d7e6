#include "benchmarks/replay/stop_replay.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "benchmarks/common/csv_file.h"

namespace cultivar {
namespace {

Result<std::vector<double>> fractions_of(const CsvFile& file, const std::string& path) {
    std::vector<double> fractions;
    for (const std::string& field : file.header) {
        auto fraction = field.starts_with('t') ? number_of(field.substr(1)) : std::nullopt;
        if (!fraction || *fraction <= (fractions.empty() ? 0 : fractions.back()))
            return fail(Code::corrupt, fmt::format("'{}': '{}' is not the next fraction of a budget", path, field));
        fractions.push_back(*fraction);
    }
    if (fractions.back() != 1) return fail(Code::corrupt, fmt::format("'{}' does not end at the budget", path));
    return fractions;
}

bool complete(const std::vector<CurvePoint>& run) { return !run.empty() && run.back().elapsed_s >= kReplayBudget_s; }

double median(std::vector<double> values) {
    auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

std::vector<std::size_t> drawn(std::size_t count, std::size_t length, Random& random) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = 0; i + 1 < count; ++i) std::swap(order[i], order[i + random.below(count - i)]);
    order.resize(std::min(count, length));
    return order;
}

// Returns the trial of this run; its curve ends where it was stopped.
Trial trial_of(const std::vector<CurvePoint>& run, const std::string& candidate, const History& history,
               Stopper& stopper) {
    Trial trial;
    trial.candidate = candidate;
    trial.budget_s = kReplayBudget_s;
    stopper.begin(history);
    for (const CurvePoint& point : run) {
        trial.curve.push_back(point);
        if (point.elapsed_s < kReplayBudget_s && stopper.stop(history, candidate, trial.curve)) {
            trial.status = RunStatus::stopped;
            return trial;
        }
    }
    trial.status = complete(run) ? RunStatus::done : RunStatus::failed;
    if (complete(run)) trial.score = run.back().train_loss;
    return trial;
}

}  // namespace

Result<CurveSet> read_curves(const std::string& path) {
    TRY_ASSIGN(const CsvFile file, read_csv(path));
    TRY_ASSIGN(const std::vector<double> fractions, fractions_of(file, path));
    CurveSet set{stem_of(path), {}};
    for (const auto& row : file.rows) {
        if (row.size() > fractions.size()) return fail(Code::corrupt, fmt::format("'{}': a row is too long", path));
        std::vector<CurvePoint> run;
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (auto loss = number_of(row[i]))
                run.push_back({fractions[i] * kReplayBudget_s, static_cast<std::int64_t>(i) + 1, *loss});
        }
        set.runs.push_back(std::move(run));
    }
    if (std::ranges::count_if(set.runs, complete) < 2)
        return fail(Code::corrupt, fmt::format("'{}' has fewer than two runs with a last loss", path));
    return set;
}

StreamResult replay_stream(const CurveSet& set, std::size_t length, Stopper& stopper, Random& random) {
    History history;
    StreamResult result;
    std::vector<double> finals;
    double published = std::numeric_limits<double>::infinity();
    const std::vector<std::size_t> order = drawn(set.runs.size(), length, random);
    for (std::size_t row : order) {
        const std::vector<CurvePoint>& run = set.runs[row];
        Trial trial = trial_of(run, fmt::format("{:08x}", row), history, stopper);
        if (!trial.curve.empty()) result.used += trial.curve.back().elapsed_s / kReplayBudget_s;
        if (trial.status == RunStatus::stopped) result.stopped += 1;
        if (trial.status == RunStatus::done) published = std::min(published, trial.score);
        if (complete(run)) finals.push_back(run.back().train_loss);
        history.trials.push_back(std::move(trial));
    }
    result.used /= static_cast<double>(order.size());
    result.stopped /= static_cast<double>(order.size());
    if (finals.empty()) return result;
    const double best = *std::ranges::min_element(finals), middle = median(finals);
    published = std::min(published, std::ranges::max(finals));  // the worst if everything was stopped
    result.lost = published > best;
    result.regret_added = middle > best ? (published - best) / (middle - best) : 0;
    return result;
}

}  // namespace cultivar
