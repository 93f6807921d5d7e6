#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "energy/when/condition.h"

namespace cultivar {
namespace {

const char* sign_of(WhenComparison comparison) {
    switch (comparison) {
        case WhenComparison::below:
            return "<";
        case WhenComparison::at_most:
            return "<=";
        case WhenComparison::above:
            return ">";
        case WhenComparison::at_least:
            return ">=";
        case WhenComparison::within:
        case WhenComparison::outside:
            return "in";
    }
    return "";
}

// Without an exponent, which the language does not have.
std::string plain(double figure) {
    std::string text = fmt::format("{:.9f}", figure);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

std::string seconds_text(double seconds) {
    const bool in_minutes = seconds >= 60 && std::fmod(seconds, 60) == 0;
    return in_minutes ? plain(seconds / 60) + " min" : plain(seconds) + " s";
}

std::string time_text(double minutes) {
    const int whole = static_cast<int>(minutes);
    return fmt::format("{:02}:{:02}", whole / 60, whole % 60);
}

// Is read as the same figure again.
std::string exact_text(const WhenTest& test) {
    if (test.signal == Signal::idle) return seconds_text(test.figure);
    if (test.signal == Signal::time) return time_text(test.figure);
    const char* unit = "";
    if (test.signal == Signal::carbon) unit = " g/kWh";
    if (test.signal == Signal::battery || test.signal == Signal::load) unit = " %";
    if (test.signal == Signal::temperature) unit = " C";
    return plain(test.figure) + (test.signal == Signal::price ? " " + test.unit : unit);
}

std::string joined(const WhenCondition& condition) {
    std::string text;
    for (const WhenCondition& part : condition.parts) {
        if (!text.empty()) text += condition.kind == WhenCondition::Kind::all ? " and " : " or ";
        text += part.kind == WhenCondition::Kind::test ? to_text(part) : "(" + to_text(part) + ")";
    }
    return text;
}

}  // namespace

const char* name(Signal signal) {
    switch (signal) {
        case Signal::carbon:
            return "carbon";
        case Signal::price:
            return "price";
        case Signal::idle:
            return "idle";
        case Signal::battery:
            return "battery";
        case Signal::ac:
            return "ac";
        case Signal::load:
            return "load";
        case Signal::temperature:
            return "temperature";
        case Signal::time:
            return "time";
        case Signal::gpu:
            return "gpu";
    }
    return "";
}

std::string figure_text(Signal signal, double value, const std::string& unit) {
    switch (signal) {
        case Signal::carbon:
            return fmt::format("{:.3g} g/kWh", value);
        case Signal::price:
            return fmt::format("{:.3g} {}", value, unit);
        case Signal::idle:
            return value < 120 ? fmt::format("{:.0f} s", value) : fmt::format("{:.0f} min", value / 60);
        case Signal::battery:
        case Signal::load:
            return fmt::format("{:.0f} %", value);
        case Signal::temperature:
            return fmt::format("{:.0f} C", value);
        case Signal::time:
            return time_text(value);
        default:
            return fmt::format("{:g}", value);
    }
}

std::string to_text(const WhenTest& test) {
    const std::string not_ = test.comparison == WhenComparison::outside ? "not " : "";
    if (test.signal == Signal::ac) return test.comparison == WhenComparison::below ? "not ac" : "ac";
    if (test.comparison == WhenComparison::within || test.comparison == WhenComparison::outside)
        return fmt::format("{}time in {}-{}", not_, time_text(test.figure), time_text(test.end));
    const std::string figure = test.percentile ? "p" + plain(*test.percentile) : exact_text(test);
    return fmt::format("{} {} {}", name(test.signal), sign_of(test.comparison), figure);
}

std::string to_text(const WhenCondition& condition) {
    return condition.kind == WhenCondition::Kind::test ? to_text(condition.test) : joined(condition);
}

bool rests_on(const WhenCondition& condition, Signal signal) {
    if (condition.kind == WhenCondition::Kind::test) return condition.test.signal == signal;
    return std::ranges::any_of(condition.parts, [signal](const WhenCondition& part) { return rests_on(part, signal); });
}

bool rests_on_grid(const WhenCondition& condition) {
    return rests_on(condition, Signal::carbon) || rests_on(condition, Signal::price);
}

}  // namespace cultivar
