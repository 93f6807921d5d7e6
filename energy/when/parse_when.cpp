#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <fmt/format.h>

#include "energy/when/condition.h"
#include "energy/when/tokens.h"
#include "energy/when/units.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

using Kind = WhenToken::Kind;

constexpr std::array kSignals = {Signal::carbon, Signal::price,       Signal::idle, Signal::battery, Signal::ac,
                                 Signal::load,   Signal::temperature, Signal::time, Signal::gpu};
constexpr double kMostFigure = 1e6;
constexpr double kDefaultIdle_s = 180, kDefaultLoad = 25;  // BOINC's
constexpr const char* kHint = "man 7 cultivar-energy";

std::string lower(std::string_view text) {
    std::string small(text);
    std::ranges::transform(small, small.begin(), [](unsigned char c) { return std::tolower(c); });
    return small;
}

std::optional<Signal> signal_named(std::string_view word) {
    const auto found = std::ranges::find_if(kSignals, [word](Signal one) { return word == name(one); });
    return found == kSignals.end() ? std::nullopt : std::optional(*found);
}

WhenComparison opposite(WhenComparison comparison) {
    switch (comparison) {
        case WhenComparison::below:
            return WhenComparison::at_least;
        case WhenComparison::at_most:
            return WhenComparison::above;
        case WhenComparison::above:
            return WhenComparison::at_most;
        case WhenComparison::at_least:
            return WhenComparison::below;
        case WhenComparison::within:
            return WhenComparison::outside;
        case WhenComparison::outside:
            return WhenComparison::within;
    }
    return comparison;
}

WhenCondition negated(WhenCondition condition) {
    condition.test.comparison = opposite(condition.test.comparison);
    if (condition.kind != WhenCondition::Kind::test)
        condition.kind =
            condition.kind == WhenCondition::Kind::all ? WhenCondition::Kind::any : WhenCondition::Kind::all;
    for (WhenCondition& part : condition.parts) part = negated(std::move(part));
    return condition;
}

WhenCondition of_test(Signal signal, WhenComparison comparison, double figure) {
    return {.kind = WhenCondition::Kind::test,
            .test = {.signal = signal, .comparison = comparison, .figure = figure},
            .parts = {}};
}

WhenCondition default_idle() {
    return {.kind = WhenCondition::Kind::all,
            .test = {},
            .parts = {of_test(Signal::idle, WhenComparison::at_least, kDefaultIdle_s),
                      of_test(Signal::load, WhenComparison::at_most, kDefaultLoad),
                      of_test(Signal::gpu, WhenComparison::below, 1)}};
}

class ConditionParser {
public:
    explicit ConditionParser(std::string_view text) : text_(text), tokens_(when_tokens(text)) {}

    Result<WhenCondition> parse() {
        TRY_ASSIGN(WhenCondition condition, sequence("or", 0));
        if (now().kind != Kind::end) return wrong(now(), unexpected("'and', 'or' or the end"));
        return condition;
    }

private:
    const WhenToken& now() const { return tokens_[next_]; }
    WhenToken take() { return tokens_[now().kind == Kind::end ? next_ : next_++]; }
    bool take(Kind kind) { return now().kind == kind && (++next_, true); }
    bool take_word(std::string_view word) { return now().kind == Kind::word && now().text == word && (++next_, true); }

    tl::unexpected<Error> wrong(const WhenToken& token, const std::string& why) const {
        return fail(Code::usage,
                    fmt::format("character {} of '{}': {}", token.at + 1, clean(text_, kMostConditionBytes), why),
                    kHint);
    }
    std::string unexpected(const std::string& wanted) const {
        if (now().kind == Kind::end) return "it ends where " + wanted + " is missing";
        const std::string small = lower(now().text);
        const bool is_word = small == "and" || small == "or" || small == "not" || small == "in";
        const std::string meant = is_word && now().text != small ? ", did you mean '" + small + "'?" : "";
        return fmt::format("'{}' instead of {}{}", clean(now().text, 40), wanted, meant);
    }

    Result<WhenCondition> sequence(const char* word, std::size_t depth) {
        const bool is_any = std::string_view(word) == "or";
        WhenCondition whole{
            .kind = is_any ? WhenCondition::Kind::any : WhenCondition::Kind::all, .test = {}, .parts = {}};
        do {
            TRY_ASSIGN(WhenCondition part, is_any ? sequence("and", depth) : negation(depth));
            if (part.kind == whole.kind)
                std::ranges::move(part.parts, std::back_inserter(whole.parts));
            else
                whole.parts.push_back(std::move(part));
        } while (take_word(word));
        if (whole.parts.size() > 1) return whole;
        WhenCondition only = std::move(whole.parts.front());
        return only;
    }
    Result<WhenCondition> negation(std::size_t depth) {
        if (depth >= kMostConditionDepth) return wrong(now(), "it is nested too deeply");
        if (take_word("not")) {
            TRY_ASSIGN(WhenCondition condition, negation(depth + 1));
            return negated(std::move(condition));
        }
        if (!take(Kind::open)) return test();
        TRY_ASSIGN(WhenCondition condition, sequence("or", depth + 1));
        if (!take(Kind::close)) return wrong(now(), unexpected("')'"));
        return condition;
    }

    Result<WhenCondition> test() {
        const WhenToken word = now();
        if (word.kind != Kind::word) return wrong(word, unexpected("a condition"));
        const auto signal = signal_named(word.text);
        if (!signal) return wrong(word, unknown_signal(word.text));
        take();
        if (*signal == Signal::ac) return of_test(Signal::ac, WhenComparison::at_least, 1);
        if (*signal == Signal::idle && now().kind != Kind::comparison) return default_idle();
        if (*signal == Signal::time && take_word("in")) return range_of_time();
        TRY_ASSIGN(const WhenComparison comparison, comparison_of(*signal));
        WhenCondition condition = of_test(*signal, comparison, 0);
        TRY(take_figure(condition.test));
        return condition;
    }
    static std::string unknown_signal(std::string_view word) {
        std::vector<std::string> names = {"not"};
        for (const Signal one : kSignals) names.emplace_back(name(one));
        const auto near = nearest(lower(word), names);
        const std::string listed = fmt::format("{}", fmt::join(names.begin() + 1, names.end(), ", "));
        return fmt::format("unknown signal '{}'{}", clean(word, 40),
                           near.empty() ? ": there are " + listed : fmt::format(", did you mean '{}'?", near[0]));
    }
    Result<WhenComparison> comparison_of(Signal signal) {
        const WhenToken sign = now();
        const std::string example = std::string(name(signal)) + " < " + example_of(signal);
        if (sign.kind != Kind::comparison) return wrong(sign, unexpected("a comparison, as in '" + example + "'"));
        take();
        if (sign.text == "<") return WhenComparison::below;
        if (sign.text == "<=") return WhenComparison::at_most;
        if (sign.text == ">") return WhenComparison::above;
        if (sign.text == ">=") return WhenComparison::at_least;
        return wrong(sign, fmt::format("'{}' is no comparison: there are <, <=, > and >=", sign.text));
    }

    Result<WhenCondition> range_of_time() {
        WhenCondition condition = of_test(Signal::time, WhenComparison::within, 0);
        TRY_ASSIGN(condition.test.figure, time_of_day());
        if (!take(Kind::dash)) return wrong(now(), unexpected("'-', as in '22:00-06:00'"));
        TRY_ASSIGN(condition.test.end, time_of_day());
        return condition;
    }
    Result<double> time_of_day() {
        const WhenToken token = now();
        if (token.kind != Kind::time) return wrong(token, unexpected("a time, as in '06:00'"));
        take();
        const auto minutes = minutes_of(token.text);
        if (!minutes) return wrong(token, fmt::format("'{}' is no time of day", token.text));
        return *minutes;
    }

    Result<void> take_figure(WhenTest& test) {
        if (test.signal == Signal::time) {
            TRY_ASSIGN(test.figure, time_of_day());
            return {};
        }
        if (now().kind == Kind::word && now().text.starts_with('p')) return take_percentile(test);
        const bool is_negative = take(Kind::dash);
        const WhenToken number = now();
        if (number.kind != Kind::number)
            return wrong(number, unexpected(std::string("'") + example_of(test.signal) + "'"));
        take();
        const auto value = nearest_double(number.text);
        if (!value || *value > kMostFigure)
            return wrong(number, fmt::format("'{}' is too large", cut(number.text, 40)));
        test.figure = is_negative ? -*value : *value;
        return take_unit(test);
    }
    Result<void> take_percentile(WhenTest& test) {
        const WhenToken token = take();
        const std::string_view digits = token.text.substr(1);
        const bool is_grid = test.signal == Signal::carbon || test.signal == Signal::price;
        if (!is_grid) return wrong(token, "percentiles are of carbon and price");
        const auto value = digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos
                               ? std::nullopt
                               : nearest_double(digits);
        if (!value || *value < 1 || *value > 99)
            return wrong(token, fmt::format("'{}' is no percentile: they go from p1 to p99", clean(token.text, 40)));
        test.percentile = *value;
        return {};
    }

    Result<void> take_unit(WhenTest& test) {
        const WhenToken token = now();
        const bool is_word = token.kind == Kind::word && token.text != "and" && token.text != "or";
        if (is_word || token.kind == Kind::percent) take();
        const auto why = apply_unit(test, is_word || token.kind == Kind::percent ? token.text : std::string_view());
        return why ? Result<void>(wrong(token, *why)) : Result<void>();
    }

    std::string_view text_;
    std::vector<WhenToken> tokens_;
    std::size_t next_ = 0;
};

}  // namespace

Result<WhenCondition> parse_when(std::string_view text) {
    if (text.size() > kMostConditionBytes)
        return fail(Code::usage, fmt::format("the condition has more than {} bytes", kMostConditionBytes), kHint);
    return ConditionParser(text).parse();
}

}  // namespace cultivar
