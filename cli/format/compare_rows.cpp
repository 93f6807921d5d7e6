#include "cli/format/compare_rows.h"

#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "cli/format/energy_view.h"

namespace cultivar {
namespace {

constexpr std::size_t kMethodShown = 40;
constexpr double kKilo = 1e3, kGramsInKg = 1e3;

using Cell = std::string (*)(const CompareReport& report, std::size_t arm);

double mean_of(const CompareReport& report, std::size_t arm, auto&& figure) {
    const std::vector<Tally>& tallies = report.comparison.tallies[arm];
    double sum = 0;
    for (const Tally& one : tallies) sum += figure(one);
    return sum / static_cast<double>(tallies.size());
}

std::string reached_text(const CompareReport& report, std::size_t arm) {
    const std::vector<Tally>& tallies = report.comparison.tallies[arm];
    return fmt::format("{} of {}", std::ranges::count_if(tallies, &Tally::is_reached), tallies.size());
}

std::string score_text(const CompareReport& report, std::size_t arm) {
    if (!report.comparison.score || !report.comparison.score->losses[arm]) return "none verified";
    return fmt::format("{:.6g}", report.score_of(*report.comparison.score->losses[arm]));
}

std::string runs_text(const CompareReport& report, std::size_t arm) {
    return fmt::format("{:.3g}", mean_of(report, arm, [](const Tally& one) { return one.runs; }));
}

std::string wall_text(const CompareReport& report, std::size_t arm) {
    return duration_text(mean_of(report, arm, [](const Tally& one) { return one.elapsed_s; }));
}

std::string machine_text(const CompareReport& report, std::size_t arm) {
    return duration_text(mean_of(report, arm, [](const Tally& one) { return one.machine_s; }));
}

std::string compute_text(const CompareReport& report, std::size_t arm) {
    const bool told = std::ranges::all_of(report.comparison.tallies[arm], [](const Tally& one) { return !!one.flops; });
    if (!told) return "not recorded";
    return fmt::format("{:.3g} FLOP", mean_of(report, arm, [](const Tally& one) { return *one.flops; }));
}

std::string embodied_text(const CompareReport& report, std::size_t arm) {
    const double grams = mean_of(report, arm, [](const Tally& one) { return one.embodied_g; });
    if (grams > 0) return grams_text(Range::exactly(grams));
    return report.comparison.lacks[arm].unmade_s > 0 ? "no factor" : "none";
}

bool has_water(const CompareReport& report, std::size_t arm) {
    return report.comparison.lacks[arm].unpriced_joules[static_cast<int>(Measure::water)] <= 0;
}

std::string on_site_text(const CompareReport& report, std::size_t arm) {
    if (!has_water(report, arm)) return "no factor";
    return litres_text(Range::exactly(mean_of(report, arm, [](const Tally& one) { return one.water_on_l[kGross]; })));
}

std::string off_site_text(const CompareReport& report, std::size_t arm) {
    if (!has_water(report, arm)) return "no factor";
    return litres_text(Range::exactly(mean_of(report, arm, [](const Tally& one) { return one.water_off_l[kGross]; })));
}

std::string peak_text(const CompareReport& report, std::size_t arm) {
    return fmt::format("{:.3g} kW", mean_of(report, arm, [](const Tally& one) { return one.peak_w; }) / kKilo);
}

std::string bought_text(const CompareReport& report, std::size_t arm) {
    const auto& bought = report.arms[arm].bought_kg;
    return bought ? grams_text(Range::exactly(*bought * kGramsInKg)) : "not stated";
}

std::string network_text(const CompareReport& report, std::size_t arm) {
    const double bytes = mean_of(report, arm, [](const Tally& one) { return one.bytes; });
    if (bytes <= 0) return "not recorded";
    const double joules = mean_of(report, arm, [](const Tally& one) { return one.network_joules; });
    const bool has_factor = report.comparison.lacks[arm].unrouted_bytes <= 0;
    return fmt::format("{}, {}", bytes_text(bytes),
                       has_factor ? joules_range_text(Range::exactly(joules)) : "no factor");
}

std::string verification_text(const CompareReport& report, std::size_t arm) {
    const double all = mean_of(report, arm, [](const Tally& one) { return one.joules[kGross]; });
    const double part = mean_of(report, arm, [](const Tally& one) { return one.verification_joules[kGross]; });
    return all > 0 ? fmt::format("{:.3g} % of the joules", 100 * part / all) : "none";
}

std::string cost_text(const CompareReport& report, const Judged& judged, std::size_t arm) {
    const Lacks& lacks = report.comparison.lacks[arm];
    const bool lacks_factor =
        lacks.unpriced_joules[static_cast<int>(judged.accounting.measure)] > 0 || lacks.unrouted_bytes > 0;
    if (lacks_factor || (judged.doubt == Doubt::no_factor && judged.costs[arm] <= 0)) return "no factor";
    if (judged.costs[arm] <= 0) return "none";
    const bool never = arm == 0 ? judged.is_at_least : judged.is_at_most;
    if (never) return "over " + amount_text(judged.accounting, Range::exactly(judged.costs[arm]));
    return amount_text(judged.accounting, judged.bounds[arm]);
}

std::string finding_text(const Judged& judged) {
    if (judged.finding != Finding::cannot_say) return name(judged.finding);
    if (judged.doubt == Doubt::no_factor) return "no factor";
    return "cannot say";
}

const char* words_for(SourceKind kind) {
    switch (kind) {
        case SourceKind::idle:
            return "idle share";
        case SourceKind::embodied:
            return "embodied";
        case SourceKind::network:
            return "network factor";
        case SourceKind::water:
            return "water factors";
        default:
            return "figure";
    }
}

}  // namespace

std::string figure_name(const Accounting& accounting) {
    const char* machine = accounting.machine == kGross ? "gross" : "above idle";
    switch (accounting.measure) {
        case Measure::energy:
            return fmt::format("energy, {}", machine);
        case Measure::carbon_average:
            return fmt::format("carbon, {}, average", machine);
        case Measure::carbon_marginal:
            return fmt::format("carbon, {}, marginal", machine);
        case Measure::water:
            return fmt::format("water, {}", machine);
    }
    return "";
}

std::string amount_text(const Accounting& accounting, const Range& amount) {
    if (accounting.measure == Measure::energy) return joules_range_text(amount);
    return accounting.measure == Measure::water ? litres_text(amount) : grams_text(amount);
}

std::string target_text(const CompareReport& report) {
    const Target& target = report.comparison.target;
    if (target.kind == TargetKind::compute) return fmt::format("for {:.4g} FLOPs of training", target.amount);
    if (target.kind == TargetKind::joules)
        return fmt::format("for {} gross", joules_range_text(Range::exactly(target.amount)));
    return fmt::format("to the verified score {:.6g}{}", report.score_of(target.amount),
                       report.is_target_found ? ", the best that every repeat reached" : "");
}

std::vector<std::array<std::string, 3>> cost_rows(const CompareReport& report) {
    std::vector<std::array<std::string, 3>> rows;
    const auto both = [&](const char* title, Cell cell) { rows.push_back({title, cell(report, 0), cell(report, 1)}); };
    both("repeats that reached it", reached_text);
    if (report.comparison.score) both("verified score", score_text);
    both("runs", runs_text);
    both("wall time", wall_text);
    both("machine time", machine_text);
    both("compute", compute_text);
    for (const Judged& judged : report.comparison.judged)
        rows.push_back({figure_name(judged.accounting), cost_text(report, judged, 0), cost_text(report, judged, 1)});
    both("  of it on site, gross", on_site_text);
    both("  of it off site, gross", off_site_text);
    both("making of machines, in gross", embodied_text);
    both("machines bought for it", bought_text);
    both("peak of a quarter hour", peak_text);
    both("network", network_text);
    both("verification, gross", verification_text);
    return rows;
}

std::vector<std::array<std::string, 3>> ratio_rows(const CompareReport& report) {
    std::vector<std::array<std::string, 3>> rows;
    for (const Judged& judged : report.comparison.judged) {
        std::string ratio = "-";
        if (judged.ratio > 0) {
            const bool open = judged.is_at_least || judged.is_at_most;
            ratio = fmt::format("{}{:.3g}", !open ? "" : judged.is_at_least ? "over " : "under ", judged.ratio);
            ratio += judged.chance ? fmt::format(" ({:.3g} to {:.3g})", judged.low, judged.high) : " (no interval)";
        }
        rows.push_back({figure_name(judged.accounting), ratio, finding_text(judged)});
    }
    return rows;
}

std::vector<std::string> finding_lines(const CompareReport& report) {
    std::vector<std::string> lines;
    for (const Judged& judged : report.comparison.judged) lines.push_back(sentence(judged));
    const auto& score = report.comparison.score;
    if (!score) return lines;
    // Losses are lower where scores are better.
    const char* finding = score->finding == Finding::lower    ? "the first arm is better"
                          : score->finding == Finding::higher ? "the first arm is worse"
                                                              : "cannot say";
    lines.push_back(
        fmt::format("score: {}{}", finding,
                    score->more ? fmt::format("; {} more repeats of each arm would tell", *score->more) : ""));
    return lines;
}

std::vector<std::string> sensitivity_lines(const CompareReport& report) {
    std::vector<std::string> lines;
    for (const Flip& flip : report.comparison.flips) {
        const std::string figure = flip.is_share ? fmt::format("{} {} {:.2g}", words_for(flip.kind),
                                                               flip.to < flip.from ? "below" : "above", flip.to)
                                                 : fmt::format("{} x {:.3g}{}", words_for(flip.kind), flip.to,
                                                               flip.is_within_bounds ? ", within its bounds" : "");
        lines.push_back(fmt::format("{}: {} at {}", figure_name(flip.accounting), name(flip.finding), figure));
    }
    return lines;
}

std::vector<std::string> note_lines(const CompareReport& report) {
    std::vector<std::string> lines;
    for (const std::string& one : report.comparison.unlike) lines.push_back("UNLIKE: " + one);
    for (const std::size_t arm : {0, 1}) {
        const char* which = arm == 0 ? "first" : "second";
        const Lacks& lacks = report.comparison.lacks[arm];
        std::string methods;
        for (const std::string& one : report.arms[arm].methods())
            methods += (methods.empty() ? "" : ", ") + clean(one, kMethodShown);
        lines.push_back(fmt::format("{} arm: measured by {}", which, methods.empty() ? "nothing" : methods));
        if (lacks.without_idle_joules > 0)
            lines.push_back(fmt::format("{} arm: gross lacks the idle part of {}: no idle power was measured", which,
                                        joules_range_text(Range::exactly(lacks.without_idle_joules))));
        if (lacks.unmade_s > 0)
            lines.push_back(fmt::format("{} arm: gross carbon lacks the making of machines for {}: no factor", which,
                                        duration_text(lacks.unmade_s)));
    }
    if (report.is_target_found)
        lines.emplace_back("the target was chosen after the fact; a test states it before: --to SCORE");
    lines.insert(lines.end(), report.notes.begin(), report.notes.end());
    return lines;
}

std::string sentence(const Judged& judged) {
    const std::string about = figure_name(judged.accounting) + ": ";
    if (judged.finding != Finding::cannot_say) return about + "the first arm is " + name(judged.finding);
    switch (judged.doubt) {
        case Doubt::one_repeat:
            return about +
                   fmt::format("cannot say: no interval; {} more of each arm give one", judged.more.value_or(1));
        case Doubt::chance:
            return about + (judged.more
                                ? fmt::format("cannot say; {} more repeats of each arm would tell", *judged.more)
                                : fmt::format("cannot say, nor would {} more repeats tell", kMostMore));
        case Doubt::bounds:
            return about + "cannot say: the bounds of its figures alone allow both";
        case Doubt::never_met:
            return about + "cannot say: a repeat never reached the target";
        case Doubt::no_factor:
            return about + "no factor";
        case Doubt::no_idle:
            return about + "cannot say: no idle power was measured";
        case Doubt::nothing:
            return about + "cannot say: a repeat spent none";
        case Doubt::none:
            break;
    }
    return about + "cannot say";
}

}  // namespace cultivar
