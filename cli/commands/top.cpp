// top: shows the leaderboard, one table per category.
#include <algorithm>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/registry.h"
#include "cli/format/category_list.h"
#include "cli/runs/machine_category.h"
#include "cli/session/score_texts.h"
#include "cli/session/session.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

std::string parents_column(const std::vector<std::string>& parents) {
    std::vector<std::string> shown;
    for (const std::string& parent : parents) shown.push_back(short_id(parent));
    return parents.empty() ? "-" : fmt::format("{}", fmt::join(shown, "+"));
}

// Does nothing but its claimant's word stand behind the score?
bool is_self_reported(const Task& task, const Standing& standing) {
    const bool judged =
        standing.verdict == name(Certainty::accepted) || standing.verdict == name(VerdictResult::rejected);
    return task.self_reported() && !judged && standing.fresh_seeds < 1;
}

std::string verdict_text(const Task& task, const Standing& standing) {
    if (standing.record) return "record";
    if (is_self_reported(task, standing)) return "self-reported";
    return standing.verdict.empty() ? "-" : standing.verdict;
}

Paint paint_of(const Standing& standing) {
    if (standing.verdict == "accepted") return Paint::good;
    return standing.verdict == "rejected" ? Paint::bad : Paint::none;
}

constexpr std::int64_t kTopRows = 20;

struct TopOptions {
    std::string category;
    std::optional<std::int64_t> count;
    bool verified = false;
};

// `only`: that category alone, or "".
Result<CategoryList> categories_for(Session& session, const std::string& only, const std::string& mine) {
    TRY_ASSIGN(std::vector<CategoryRow> rows, session.index->categories());
    if (only.empty()) return listed(std::move(rows), mine);
    std::erase_if(rows, [&](const CategoryRow& row) { return row.name != only; });
    return CategoryList{std::move(rows), {}};
}

// An empty table says why it is empty.
Result<void> tell_of_category(Context& context, Session& session, const std::string& category) {
    TRY_ASSIGN(const std::vector<CategoryRow> rows, session.index->categories());
    std::vector<std::string> names;
    for (const CategoryRow& row : rows) names.push_back(row.name);
    const bool known = std::ranges::find(names, category) != names.end();
    const std::vector<std::string> near = known ? std::vector<std::string>() : nearest(category, names);
    if (known)
        context.ui.note(fmt::format("nothing is accepted in '{}' yet: cultivar verify", clean(category)));
    else
        context.ui.warn(fmt::format(
            "nothing was scored in a category '{}'{}", clean(category),
            near.empty() ? ": cultivar status lists them" : fmt::format(", did you mean '{}'?", clean(near[0]))));
    return {};
}

Result<int> top(Context& context, const TopOptions& options) {
    TRY_ASSIGN(Session session, look_at_session(context));
    const std::int64_t count = options.count.value_or(kTopRows);
    if (count < 0) return fail(Code::usage, "-n takes 0 (all) or a number of candidates", "cultivar top --help");
    const auto most = static_cast<int>(std::min<std::int64_t>(count, 1 << 30));
    TRY_ASSIGN(const std::string mine, category_so_far(session, session.clone->task.budget_s));
    TRY_ASSIGN(const CategoryList categories, categories_for(session, options.category, mine));
    std::vector<Standing> standings;
    // JSON is for programs: it holds all.
    for (const std::vector<CategoryRow>* some : {&categories.shown, &categories.hidden}) {
        if (some == &categories.hidden && !context.ui.json()) continue;
        for (const CategoryRow& category : *some) {
            TRY_ASSIGN(std::vector<Standing> of_category,
                       session.index->standings(category.name, most, options.verified));
            standings.insert(standings.end(), of_category.begin(), of_category.end());
        }
    }
    ScoreTexts scores(session);
    bool noise_known = false;  // in the category of the table
    Json rows = Json::array();
    std::string text, category;
    std::optional<TextTable> table;
    auto close_table = [&] {
        if (!table) return;
        const auto row = std::ranges::find(categories.shown, category, &CategoryRow::name);
        std::string title = row == categories.shown.end() ? category : title_of(*row, mine);
        if (!noise_known) title += ", noise unknown";
        text += (text.empty() ? "" : "\n") + context.ui.paint(Paint::strong, title) + "\n" + table->text(context.ui);
    };
    int rank = 0;  // within the category
    const Task& task = session.clone->task;
    for (const Standing& standing : standings) {
        TRY_ASSIGN(std::optional<CandidateRow> row, session.index->candidate(standing.candidate));
        if (!row) continue;
        TRY_ASSIGN(const ScoreText score, scores.in(standing.category));
        TRY_ASSIGN(const bool known, scores.noise_known(standing.category));
        std::string change = change_against(session, *row, row->parents.empty() ? "" : row->parents[0]);
        rows.push_back({{"id", standing.candidate},
                        {"val_bpb", standing.val_bpb},
                        {"runs", standing.runs},
                        {"fresh_seeds", standing.fresh_seeds},
                        {"category", standing.category},
                        {"verdict", standing.verdict.empty() ? Json(nullptr) : Json(standing.verdict)},
                        {"record", standing.record},
                        {"self_reported", is_self_reported(task, standing)},
                        {"noise_known", known},
                        {"parents", row->parents},
                        {"contributor", standing.contributor},
                        {"change", change},
                        {"kept", standing.kept},
                        {"metric", task.metric},
                        {"score", task.score_of(standing.val_bpb)},
                        {"parameters", or_null(standing.cost.parameters)},
                        {"flops_per_token", or_null(standing.cost.forward_flops_per_token)},
                        {"joules_per_token", or_null(standing.cost.joules_per_token)}});
        if (standing.category != category) {
            close_table();
            category = standing.category;
            noise_known = known;
            table.emplace(std::vector<TextTable::Column>{{"#", true},
                                                         {"id"},
                                                         {clean(task.metric, 24), true},
                                                         {"runs", true},
                                                         {"kept"},
                                                         {"verdict"},
                                                         {"parents"},
                                                         {"contributor"},
                                                         {"change"}});
            rank = 0;
        }
        bool counts = standing.runs > 0;
        table->row({counts ? std::to_string(++rank) : "-", short_id(standing.candidate), score.of(standing.val_bpb),
                    std::to_string(standing.runs), standing.kept ? "yes" : "no", verdict_text(task, standing),
                    parents_column(row->parents), clean(standing.contributor, 48), clean(change)},
                   paint_of(standing));
    }
    close_table();
    if (!categories.hidden.empty() && !options.verified) text += "\n" + hidden_text(categories) + "\n";
    std::vector<Unfit> unfit;
    if (!options.verified) {
        TRY_ASSIGN(unfit, session.index->unfit(most));
    }
    Json not_judgeable = Json::array();
    for (const Unfit& one : unfit) {
        if (!options.category.empty() && one.category != options.category) continue;
        const bool strange = std::ranges::count(categories.hidden, one.category, &CategoryRow::name) > 0;
        if (strange && !context.ui.json()) continue;
        not_judgeable.push_back(
            {{"id", one.candidate}, {"category", one.category}, {"reason", one.reason}, {"writer", one.writer}});
        const bool own = one.writer == session.clone->writer;
        text += (not_judgeable.size() == 1 && !text.empty() ? "\n" : "") +
                fmt::format("not judgeable in {}: {}, {}{}\n", clean(one.category, 32), short_id(one.candidate),
                            clean(one.reason), own ? "" : fmt::format(" (says {})", clean(one.writer, 48)));
    }
    if (standings.empty() && !options.category.empty()) TRY(tell_of_category(context, session, options.category));
    if (context.ui.json()) {
        context.ui.print(pretty(Json{{"schema", 1},
                                     {"pool", session.clone->task.name},
                                     {"category", mine.empty() ? Json(nullptr) : Json(mine)},
                                     {"candidates", rows},
                                     {"not_judgeable", not_judgeable}}));
        return kYes;
    }
    context.ui.print(text);
    if (standings.empty() && options.category.empty())
        context.ui.note(options.verified ? "nothing is accepted yet: cultivar verify"
                                         : "nothing is scored yet: cultivar explore --runs 3");
    TRY_ASSIGN(auto retired, session.index->retired_candidates());
    if (!retired.empty()) context.ui.note(fmt::format("retired and left out: {} (cultivar retire)", retired.size()));
    return kYes;
}

}  // namespace

Action declare_top(Parser& parser) {
    auto options = std::make_shared<TopOptions>();
    parser.option("--category", options->category, "NAME", "only this category");
    parser.flag("--verified", options->verified, "only candidates that a verifier accepted");
    parser.option("-n", options->count, "N", "at most N candidates of each category (default 20; 0: all)");
    parser.example("cultivar top", "the leaderboard, one table per category");
    parser.example("cultivar top --json | jq '.candidates[0].id'", "the best candidate of the first category");
    return [options](Context& context) { return top(context, *options); };
}

}  // namespace cultivar
