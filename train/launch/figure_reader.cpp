#include "train/launch/figure_reader.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>
#include <nlohmann/json.hpp>

#include "pool/util/left_file.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

using Kind = FigureRule::Kind;
using Take = FigureRule::Take;
using Fault = Figures::Fault;

constexpr double kMostFigure = 1e12;  // in a record (pool/types/record_parser.cpp)
constexpr std::size_t kMaxFigureFile_bytes = 1 << 20, kMaxShown_bytes = 80;
constexpr std::string_view kMetricWord = "METRIC ";

std::string shown(std::string_view text) { return clean(std::string(text.substr(0, kMaxShown_bytes))); }

// A whole text as a number: also nan and inf, which the caller refuses with a word.
std::optional<double> number(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t+"), end = text.find_last_not_of(" \t\r");
    if (begin == std::string_view::npos || end < begin) return std::nullopt;
    return nearest_double(text.substr(begin, end - begin + 1));
}

// The text after "METRIC name=", if the line is one of this name.
std::optional<std::string_view> metric_text(std::string_view line, const std::string& name) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos || !line.substr(begin).starts_with(kMetricWord)) return std::nullopt;
    line.remove_prefix(begin + kMetricWord.size());
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    std::string_view word = line.substr(0, equals);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (word != name) return std::nullopt;
    return line.substr(equals + 1);
}

std::unique_ptr<re2::RE2> compiled(const std::string& expression) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(8 << 20);
    return std::make_unique<re2::RE2>(expression, options);
}

Result<void> check_expression(const re2::RE2& expression, int groups, const std::string& name) {
    if (!expression.ok())
        return fail(Code::usage, fmt::format("the expression of '{}': {}", name, clean(expression.error())));
    if (expression.NumberOfCapturingGroups() == groups) return {};
    return fail(
        Code::usage,
        fmt::format("the expression of '{}' has {} groups, it takes {}: {}", name, expression.NumberOfCapturingGroups(),
                    groups, groups == 1 ? "the figure" : "the step and the running score"),
        "write (?:...) for a group that is not meant");
}

// One figure, as far as the lines went.
class Finder {
public:
    static Result<Finder> make(std::string name, const FigureRule& rule) {
        Finder finder(std::move(name), rule);
        if (rule.kind != Kind::regex) return finder;
        finder.expression_ = compiled(rule.text);
        TRY(check_expression(*finder.expression_, 1, finder.name_));
        return finder;
    }

    void take_line(std::string_view line, bool from_errors) {
        if (!rule_.reads_lines() || from_errors != rule_.from_errors) return;
        std::optional<std::string_view> text;
        if (rule_.kind == Kind::metric_line) {
            text = metric_text(line, rule_.text);
        } else {
            re2::StringPiece group;
            if (re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), *expression_, &group))
                text = std::string_view(group.data(), group.size());
        }
        if (!text || (rule_.take == Take::first && times_ > 0)) return;
        ++times_;
        text_ = *text;
    }

    struct Found {
        Fault fault = Fault::none;
        std::string message;
        double value = 0;
    };
    Found find(const std::string& folder) const {
        if (rule_.kind == Kind::json_file) return in_file(folder);
        if (times_ == 0) return {Fault::no_score, fmt::format("no {}: {}", name_, looked_for()), 0};
        if (times_ > 1 && rule_.take == Take::only)
            return {Fault::several_scores, fmt::format("{} lines METRIC {}=...: one counts", times_, rule_.text), 0};
        const auto value = number(text_);
        if (!value) return {Fault::unreadable, fmt::format("{} '{}' is no number", name_, shown(text_)), 0};
        if (!std::isfinite(*value)) return {Fault::not_finite, fmt::format("{} is {}", name_, shown(text_)), 0};
        if (std::abs(*value) > kMostFigure) return {Fault::unreadable, too_large(), 0};
        return {Fault::none, "", *value};
    }

    const std::string& name() const { return name_; }

private:
    Finder(std::string name, const FigureRule& rule) : name_(std::move(name)), rule_(rule) {}

    std::string too_large() const {
        return fmt::format("{} is beyond {:g}, the most that a record holds", name_, kMostFigure);
    }

    std::string looked_for() const {
        const char* stream = rule_.from_errors ? "standard error" : "standard output";
        if (rule_.kind == Kind::metric_line)
            return fmt::format("no line 'METRIC {}=...' on its {}", shown(rule_.text), stream);
        return fmt::format("no line of its {} matches {}", stream, shown(rule_.text));
    }

    Found in_file(const std::string& folder) const {
        const auto text = read_left_file(folder, rule_.text, kMaxFigureFile_bytes);
        if (!text) return {Fault::no_score, fmt::format("no {}: {}", name_, text.error().message), 0};
        const nlohmann::json json = nlohmann::json::parse(*text, nullptr, false);
        if (json.is_discarded()) return {Fault::unreadable, fmt::format("'{}' is no JSON", rule_.text), 0};
        const nlohmann::json* at = &json;
        for (std::size_t begin = 0; at && begin <= rule_.key.size();) {
            const std::size_t end = std::min(rule_.key.find('.', begin), rule_.key.size());
            const std::string part = rule_.key.substr(begin, end - begin);
            at = at->is_object() && at->contains(part) ? &at->at(part) : nullptr;
            begin = end + 1;
        }
        if (!at) return {Fault::no_score, fmt::format("no {}: '{}' has no {}", name_, rule_.text, shown(rule_.key)), 0};
        if (!at->is_number())
            return {at->is_null() ? Fault::not_finite : Fault::unreadable,
                    fmt::format("{} in '{}' is no number", name_, rule_.text), 0};
        const double value = at->get<double>();
        if (!std::isfinite(value)) return {Fault::not_finite, fmt::format("{} is not finite", name_), 0};
        if (std::abs(value) > kMostFigure) return {Fault::unreadable, too_large(), 0};
        return {Fault::none, "", value};
    }

    std::string name_;
    FigureRule rule_;
    std::unique_ptr<re2::RE2> expression_;
    std::int64_t times_ = 0;
    std::string text_;  // of the match that counts
};

}  // namespace

struct FigureReader::Impl {
    std::optional<Finder> score;
    std::vector<Finder> metrics;
    std::unique_ptr<re2::RE2> progress;
    bool progress_from_errors = false;
};

FigureReader::FigureReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FigureReader::FigureReader(FigureReader&&) noexcept = default;
FigureReader& FigureReader::operator=(FigureReader&&) noexcept = default;
FigureReader::~FigureReader() = default;

Result<FigureReader> FigureReader::make(const FigureRule& score) {
    auto impl = std::make_unique<Impl>();
    if (score.kind != Kind::events) {
        TRY_ASSIGN(impl->score, Finder::make("score", score));
    }
    return FigureReader(std::move(impl));
}

Result<FigureReader> FigureReader::make(const PoolCommand& command) {
    TRY_ASSIGN(FigureReader reader, make(command.score));
    const std::unique_ptr<Impl>& impl = reader.impl_;
    for (const NamedRule& metric : command.metrics) {
        TRY_ASSIGN(Finder finder, Finder::make(metric.name, metric.rule));
        impl->metrics.push_back(std::move(finder));
    }
    if (command.progress) {
        impl->progress = compiled(command.progress->text);
        impl->progress_from_errors = command.progress->from_errors;
        TRY(check_expression(*impl->progress, 2, "progress"));
    }
    return reader;
}

bool FigureReader::reads_events() const { return !impl_->score; }

std::optional<Progress> FigureReader::take_line(std::string_view line, bool from_errors) {
    if (impl_->score) impl_->score->take_line(line, from_errors);
    for (Finder& metric : impl_->metrics) metric.take_line(line, from_errors);
    if (!impl_->progress || impl_->progress_from_errors != from_errors) return std::nullopt;
    re2::StringPiece step, score;
    if (!re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), *impl_->progress, &step, &score))
        return std::nullopt;
    const auto steps = number({step.data(), step.size()}), value = number({score.data(), score.size()});
    constexpr double kMostSteps = 1e15;
    if (!steps || !value || !(*steps >= 0 && *steps <= kMostSteps) || !(std::abs(*value) <= kMostFigure))
        return std::nullopt;
    return Progress{static_cast<std::int64_t>(*steps), *value};
}

Figures FigureReader::finish(const std::string& folder) const {
    Figures figures;
    if (impl_->score) {
        const Finder::Found found = impl_->score->find(folder);
        figures.fault = found.fault;
        figures.message = found.message;
        if (found.fault == Fault::none) figures.score = found.value;
    }
    for (const Finder& metric : impl_->metrics) {
        const Finder::Found found = metric.find(folder);
        if (found.fault == Fault::none) figures.metrics[metric.name()] = found.value;
    }
    return figures;
}

Result<void> check_rules(const PoolCommand& command) {
    TRY(FigureReader::make(command));
    if (command.evaluator) TRY(FigureReader::make(command.evaluator->score));
    return {};
}

}  // namespace cultivar
