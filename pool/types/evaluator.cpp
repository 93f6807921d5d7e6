#include "pool/types/evaluator.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "pool/types/command_data.h"
#include "pool/types/command_words.h"

namespace cultivar {
namespace {

constexpr double kMost = 1e7;
constexpr std::string_view kValidation = "{validation}", kHoldOut = "{hold_out}";

bool has_word(const Evaluator& evaluator, std::string_view name) {
    return std::ranges::any_of(evaluator.run,
                               [&](const std::string& word) { return word.find(name) != std::string::npos; });
}

Result<void> check_figures(const TomlTable& table, const Evaluator& evaluator) {
    if (!(evaluator.tolerance >= 0 && evaluator.tolerance <= kMost))
        return fail(Code::usage, fmt::format("{}: 'evaluate.tolerance' is out of range", table.where()));
    if (evaluator.limit_s && !(*evaluator.limit_s > 0 && *evaluator.limit_s <= kMost))
        return fail(Code::usage, fmt::format("{}: 'evaluate.limit_s' is out of range", table.where()));
    for (const std::string_view name : {kValidation, kHoldOut}) {
        if (!evaluator.validation.empty() || !has_word(evaluator, name)) continue;
        return fail(
            Code::usage,
            fmt::format("{}: '{}' stands in 'evaluate.run', but 'evaluate.validation' is missing", table.where(), name),
            "validation = \"files/valid.csv\"");
    }
    return {};
}

}  // namespace

Result<std::optional<Evaluator>> read_evaluator(TomlTable& table, const FigureRule& score) {
    using Found = std::optional<Evaluator>;
    const TomlEntry* entry = table.take("evaluate.run");
    if (!entry) return Found();
    Evaluator evaluator;
    TRY_ASSIGN(evaluator.run, read_words(table, *entry));
    TRY_ASSIGN(evaluator.score, read_figure_rule(table, "evaluate.score."));
    evaluator.own_score = evaluator.score.kind != FigureRule::Kind::events;
    if (!evaluator.own_score) evaluator.score = score;
    if (const TomlEntry* file = table.take("evaluate.validation")) {
        TRY(table.read("evaluate.validation", evaluator.validation));
        const bool of_data = evaluator.validation.starts_with(kDataFolder) && is_plain_path(evaluator.validation);
        if (!of_data && !good_file(evaluator.validation))
            return fail(
                table.wrong(*file, "'validation' is a file of the pool under files/, or one of its data, data/NAME"));
    }
    TRY(table.read("evaluate.tolerance", evaluator.tolerance));
    TRY(table.read("evaluate.limit_s", evaluator.limit_s));
    TRY(check_figures(table, evaluator));
    return Found(std::move(evaluator));
}

std::string evaluator_toml(const Evaluator& evaluator) {
    std::string text = fmt::format("\n[evaluate]\nrun = {}\n", words_toml(evaluator.run));
    if (evaluator.own_score) text += fmt::format("score = {}\n", to_toml(evaluator.score));
    if (!evaluator.validation.empty()) text += fmt::format("validation = {}\n", to_toml(Value(evaluator.validation)));
    if (evaluator.tolerance > 0) text += fmt::format("tolerance = {}\n", to_toml(Value(evaluator.tolerance)));
    if (evaluator.limit_s) text += fmt::format("limit_s = {}\n", to_toml(Value(*evaluator.limit_s)));
    return text;
}

bool Evaluator::takes_hold_out() const { return has_word(*this, kHoldOut); }

double score_rounding(double one, double other) {
    constexpr double kRelative = 1e-6;
    return kRelative * std::max(std::abs(one), std::abs(other));
}

bool scores_agree(const Evaluator& evaluator, double one, double other) {
    return std::abs(one - other) <= evaluator.tolerance + score_rounding(one, other);
}

}  // namespace cultivar
