#include "energy/compare/judge.h"

#include <algorithm>
#include <cmath>

namespace cultivar {
namespace {

double mean_log(const std::vector<double>& costs) {
    double sum = 0;
    for (const double cost : costs) sum += std::log(cost);
    return sum / static_cast<double>(costs.size());
}

bool all_positive(const std::vector<double>& costs) {
    return std::ranges::all_of(costs, [](double cost) { return cost > 0; }) && !costs.empty();
}

// The bounds of all sources, one after another: their logarithms add up.
void widen(Judged& judged, const CostModel& model, const CostModel::Moved& moved) {
    const Measure measure = judged.accounting.measure;
    double base[2], down[2]{}, up[2]{};
    for (const std::size_t arm : {0, 1}) base[arm] = mean_log(model.costs(arm, measure, moved));
    for (std::size_t i = 0; i < model.sources().size(); ++i) {
        const Source& source = model.sources()[i];
        double least = 0, most = 0;
        for (const double end : {source.least(), source.most()}) {
            if (end == 1 || moved[i] == 0) continue;
            CostModel::Moved there = moved;
            there[i] *= end;
            double moves[2];
            for (const std::size_t arm : {0, 1}) {
                moves[arm] = mean_log(model.costs(arm, measure, there)) - base[arm];
                (moves[arm] < 0 ? down : up)[arm] += moves[arm];
            }
            least = std::min(least, moves[0] - moves[1]), most = std::max(most, moves[0] - moves[1]);
        }
        judged.down += least, judged.up += most;
    }
    for (const std::size_t arm : {0, 1})
        judged.bounds[arm] = {std::exp(base[arm]), std::exp(base[arm] + down[arm]), std::exp(base[arm] + up[arm])};
}

Doubt doubt_of_factors(const CostModel& model, const Accounting& accounting) {
    for (const std::size_t arm : {0, 1}) {
        const Lacks& lacks = model.lacks(arm);
        if (lacks.unpriced_joules[static_cast<int>(accounting.measure)] > 0 || lacks.unrouted_bytes > 0)
            return Doubt::no_factor;
        if (accounting.machine == kGross && lacks.without_idle_joules > 0) return Doubt::no_idle;
    }
    const bool is_carbon =
        accounting.measure == Measure::carbon_average || accounting.measure == Measure::carbon_marginal;
    // Only one arm has the making of its machines in its sum.
    const bool lopsided = (model.lacks(0).unmade_s > 0) != (model.lacks(1).unmade_s > 0);
    return is_carbon && accounting.machine == kGross && lopsided ? Doubt::no_factor : Doubt::none;
}

void find(Judged& judged) {
    const bool may_be_lower = !judged.is_at_least, may_be_higher = !judged.is_at_most;
    if (judged.high < 1 && may_be_lower) judged.finding = Finding::lower;
    if (judged.low > 1 && may_be_higher) judged.finding = Finding::higher;
    if (judged.finding != Finding::cannot_say) return;
    if (judged.is_at_least || judged.is_at_most) return judged.doubt = Doubt::never_met, void();
    const double mean = judged.chance->mean, effect = mean < 0 ? -mean - judged.up : mean + judged.down;
    judged.doubt = effect > 0 ? Doubt::chance : Doubt::bounds;
    judged.more = more_repeats(*judged.chance, effect);
}

}  // namespace

std::array<std::vector<double>, 2> in_pairs(const std::vector<double> (&figures)[2], const Pairs& pairs) {
    if (pairs.empty()) return {figures[0], figures[1]};
    std::array<std::vector<double>, 2> ordered;
    for (const auto& [one, other] : pairs)
        ordered[0].push_back(figures[0][one]), ordered[1].push_back(figures[1][other]);
    return ordered;
}

Judged judge(const CostModel& model, const Accounting& accounting, const CostModel::Moved& moved, const Pairs& pairs) {
    Judged judged{.accounting = accounting};
    std::vector<double> costs[2];
    for (const std::size_t arm : {0, 1}) {
        costs[arm] = model.costs(arm, accounting.measure, moved);
        const bool met = std::ranges::all_of(model.tallies(arm), &Tally::is_reached);
        if (!met) (arm == 0 ? judged.is_at_least : judged.is_at_most) = true;
    }
    judged.doubt = doubt_of_factors(model, accounting);
    if (judged.doubt == Doubt::no_factor) return judged;
    if (!all_positive(costs[0]) || !all_positive(costs[1])) {
        if (judged.doubt == Doubt::none) judged.doubt = Doubt::nothing;
        return judged;
    }
    widen(judged, model, moved);
    for (const std::size_t arm : {0, 1}) judged.costs[arm] = judged.bounds[arm].value;
    if (judged.doubt == Doubt::no_idle) return judged;
    judged.ratio = judged.costs[0] / judged.costs[1];
    const auto [first, second] = in_pairs(costs, pairs);
    judged.chance = log_ratio(first, second, !pairs.empty());
    if (!judged.chance) {
        judged.doubt = Doubt::one_repeat;
        judged.more = 2 - static_cast<int>(std::min(costs[0].size(), costs[1].size()));
        return judged;
    }
    judged.low = std::exp(judged.chance->low + judged.down);
    judged.high = std::exp(judged.chance->high + judged.up);
    find(judged);
    return judged;
}

}  // namespace cultivar
