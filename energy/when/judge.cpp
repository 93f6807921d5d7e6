#include "energy/when/judge.h"

#include <algorithm>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr double kDay_minutes = 24 * 60;

// From start to end, itself outside, over midnight where the end is not later.
bool is_in_range(double minutes, const WhenTest& test) {
    const auto since_start = [&](double at) {
        return at >= test.figure ? at - test.figure : at - test.figure + kDay_minutes;
    };
    const double length = test.end == test.figure ? kDay_minutes : since_start(test.end);
    return since_start(minutes) < length;
}

bool holds(const WhenTest& test, double value, double figure) {
    switch (test.comparison) {
        case WhenComparison::below:
            return value < figure;
        case WhenComparison::at_most:
            return value <= figure;
        case WhenComparison::above:
            return value > figure;
        case WhenComparison::at_least:
            return value >= figure;
        case WhenComparison::within:
            return is_in_range(value, test);
        case WhenComparison::outside:
            return !is_in_range(value, test);
    }
    return false;
}

std::string wanted_text(const WhenTest& test, double figure, const std::string& unit) {
    std::string text = to_text(test);
    text = text.substr(text.find(' ') + 1);
    if (!test.percentile) return text;
    const std::string sign = text.substr(0, text.find(' '));
    return fmt::format("{} {} (p{:g} of the last 24 h)", sign, figure_text(test.signal, figure, unit),
                       *test.percentile);
}

std::string refusal(const WhenTest& test, double value, double figure, const std::string& unit) {
    if (test.signal == Signal::ac) return value > 0 ? "this machine is on mains" : "this machine is on battery";
    const std::string now = fmt::format("{} is {}", name(test.signal), figure_text(test.signal, value, unit));
    if (test.comparison == WhenComparison::outside)
        return fmt::format("{}, {}", now, wanted_text(test, figure, unit).substr(5));  // without a second "time"
    return fmt::format("{}, not {}", now, wanted_text(test, figure, unit));
}

WhenJudged unknown(const WhenTest& test, const std::string& why) {
    return {WhenAnswer::unknown, {fmt::format("{} is unknown: {}", name(test.signal), why)}};
}

WhenJudged judge_test(const WhenTest& test, Signals& signals) {
    const Reading now = signals.now(test.signal);
    if (!now.value) return unknown(test, now.missing);
    double figure = test.figure;
    if (test.percentile) {
        const Reading bound = signals.percentile(test.signal, *test.percentile);
        if (!bound.value) return unknown(test, bound.missing);
        figure = *bound.value;
    } else if (test.signal == Signal::price && now.unit != test.unit) {
        return unknown(test, fmt::format("its series is in {}, not in {}", now.unit, test.unit));
    }
    if (holds(test, *now.value, figure)) return {};
    return {WhenAnswer::no, {refusal(test, *now.value, figure, now.unit)}};
}

}  // namespace

WhenJudged judge_when(const WhenCondition& condition, Signals& signals) {
    if (condition.kind == WhenCondition::Kind::test) return judge_test(condition.test, signals);
    const bool is_all = condition.kind == WhenCondition::Kind::all;
    WhenJudged whole{is_all ? WhenAnswer::yes : WhenAnswer::no, {}};
    for (const WhenCondition& part : condition.parts) {
        const WhenJudged one = judge_when(part, signals);
        whole.answer = is_all ? std::min(whole.answer, one.answer) : std::max(whole.answer, one.answer);
        whole.why.insert(whole.why.end(), one.why.begin(), one.why.end());
    }
    if (whole.answer == WhenAnswer::yes) whole.why.clear();
    return whole;
}

}  // namespace cultivar
