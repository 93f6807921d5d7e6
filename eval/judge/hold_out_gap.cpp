#include "eval/judge/hold_out_gap.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "eval/statistics/significance.h"

namespace cultivar {
namespace {

constexpr double kNormalOfMedian = 1.4826;  // a normal spread over the median deviation

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// Without those too far from a line that a minority cannot bend: the median of the slopes of all pairs (Theil and
// Sen), and the median deviation from it, times 1.4826, for a spread.
std::vector<Gap> in_line(std::span<const Gap> gaps, double least_spread) {
    std::vector<double> slopes = {0};
    for (std::size_t i = 0; i < gaps.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const double away = gaps[i].slice_bpb - gaps[j].slice_bpb;
            if (away != 0) slopes.push_back((gaps[i].bpb() - gaps[j].bpb()) / away);
        }
    }
    const double slope = median(slopes);
    std::vector<double> levels, off;
    for (const Gap& gap : gaps) levels.push_back(gap.bpb() - slope * gap.slice_bpb);
    const double level = median(levels);
    for (double one : levels) off.push_back(std::abs(one - level));
    const double spread = std::max(kNormalOfMedian * median(off), least_spread);
    const double allowed = student_quantile(1 - kGapChance, static_cast<double>(gaps.size()) - 2) * spread;
    std::vector<Gap> kept;
    for (std::size_t i = 0; i < gaps.size(); ++i) {
        if (std::abs(levels[i] - level) <= allowed) kept.push_back(gaps[i]);
    }
    return kept;
}

// The usual gap at a score, and how far one more may be from it.
struct Line {
    double mean_bpb = 0, mean_gap = 0, slope = 0, spread = 0, squares = 0;
    int count = 0;

    double usual(double slice_bpb) const { return mean_gap + slope * (slice_bpb - mean_bpb); }
    double allowed(double slice_bpb) const {
        const double away = slice_bpb - mean_bpb;
        const double leverage = 1.0 / count + (squares > 0 ? away * away / squares : 0);
        return student_quantile(1 - kGapChance, count - 2) * spread * std::sqrt(1 + leverage);
    }
};

// Least squares.
Line line_through(std::span<const Gap> gaps, double least_spread) {
    Line line;
    line.count = static_cast<int>(gaps.size());
    for (const Gap& gap : gaps) {
        line.mean_bpb += gap.slice_bpb / line.count;
        line.mean_gap += gap.bpb() / line.count;
    }
    double products = 0, residuals = 0;
    for (const Gap& gap : gaps) {
        const double away = gap.slice_bpb - line.mean_bpb;
        line.squares += away * away;
        products += away * (gap.bpb() - line.mean_gap);
    }
    line.slope = line.squares > 0 ? products / line.squares : 0;
    for (const Gap& gap : gaps) {
        const double off = gap.bpb() - line.usual(gap.slice_bpb);
        residuals += off * off;
    }
    line.spread = std::max(std::sqrt(residuals / (line.count - 2)), least_spread);
    return line;
}

// By which two scores of a metric of any scale differ at least, beyond the rounding of records.
double least_step(std::span<const Gap> gaps) {
    constexpr double kRounding = 1e-6;
    std::vector<double> scores;
    for (const Gap& gap : gaps) scores.push_back(gap.slice_bpb);
    std::ranges::sort(scores);
    double step = 0, rounding = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        rounding = std::max(rounding, kRounding * std::abs(scores[i]));
        const double away = i > 0 ? scores[i] - scores[i - 1] : 0;
        if (away > rounding && (step == 0 || away < step)) step = away;
    }
    return std::max(step, rounding);
}

double told(double figure, const GapScale& scale) {
    if (!scale.any_metric) return figure;
    const std::string text = fmt::format("{:.3g}", figure);
    double rounded = figure;
    std::from_chars(text.data(), text.data() + text.size(), rounded);
    return rounded;
}

std::string excess(double figure, const GapScale& scale) {
    return scale.any_metric ? fmt::format("{:+.3g}", figure) : fmt::format("{:+.4f}", figure);
}

}  // namespace

GapJudgement judge_gap(const Gap& claim, std::span<const Gap> others, const GapScale& scale) {
    const double least = scale.any_metric ? std::max(scale.least_spread, least_step(others)) : scale.least_spread;
    std::vector<Gap> usual;
    if (others.size() >= kFewestOthers) usual = in_line(others, least);
    const char* unit = scale.any_metric ? "" : " bits per byte";
    GapJudgement judgement;
    judgement.gap_bpb = told(claim.bpb(), scale);
    judgement.others = static_cast<int>(usual.size());
    judgement.judged = judgement.others >= kFewestOthers;
    if (!judgement.judged) {
        judgement.reason = fmt::format("a gap of {}{}, too few others ({}) to judge by", excess(claim.bpb(), scale),
                                       unit, judgement.others);
        return judgement;
    }
    const Line line = line_through(usual, least);
    const double usual_gap = line.usual(claim.slice_bpb), allowed = line.allowed(claim.slice_bpb);
    judgement.usual_bpb = told(usual_gap, scale);
    judgement.allowed_bpb = told(allowed, scale);
    judgement.honest = claim.bpb() - usual_gap <= allowed;
    judgement.reason = fmt::format("{} of {}{} where {} others make {} usual, {} more allowed",
                                   judgement.honest ? "a gap" : "it was trained on the validation data: a gap",
                                   excess(claim.bpb(), scale), unit, judgement.others, excess(usual_gap, scale),
                                   scale.any_metric ? fmt::format("{:.3g}", allowed) : fmt::format("{:.4f}", allowed));
    return judgement;
}

}  // namespace cultivar
