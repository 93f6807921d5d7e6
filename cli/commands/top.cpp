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

// JSON is for programs: it holds all.
Result<std::vector<Standing>> standings_in(Session& session, const CategoryList& categories, int most, bool verified,
                                           bool hidden_too) {
    std::vector<Standing> standings;
    for (const std::vector<CategoryRow>* some : {&categories.shown, &categories.hidden}) {
        if (some == &categories.hidden && !hidden_too) continue;
        for (const CategoryRow& category : *some) {
            TRY_ASSIGN(std::vector<Standing> of_category, session.index->standings(category.name, most, verified));
            standings.insert(standings.end(), of_category.begin(), of_category.end());
        }
    }
    return standings;
}

// A candidate of the leaderboard, with all that its row shows.
struct Place {
    Standing standing;
    std::vector<std::string> parents;
    std::string change;
    ScoreText score;
    bool noise_known = false;  // in its category
};

Result<std::vector<Place>> places_of(Session& session, std::vector<Standing> standings) {
    ScoreTexts scores(session);
    std::vector<Place> places;
    for (Standing& standing : standings) {
        TRY_ASSIGN(std::optional<CandidateRow> row, session.index->candidate(standing.candidate));
        if (!row) continue;
        TRY_ASSIGN(const ScoreText score, scores.in(standing.category));
        TRY_ASSIGN(const bool known, scores.noise_known(standing.category));
        std::string change = change_against(session, *row, row->parents.empty() ? "" : row->parents[0]);
        places.push_back({std::move(standing), std::move(row->parents), std::move(change), score, known});
    }
    return places;
}

Json json_of(const Task& task, const Place& place) {
    const Standing& standing = place.standing;
    return {{"id", standing.candidate},
            {"val_bpb", standing.val_bpb},
            {"runs", standing.runs},
            {"fresh_seeds", standing.fresh_seeds},
            {"category", standing.category},
            {"verdict", standing.verdict.empty() ? Json(nullptr) : Json(standing.verdict)},
            {"record", standing.record},
            {"self_reported", is_self_reported(task, standing)},
            {"noise_known", place.noise_known},
            {"parents", place.parents},
            {"contributor", standing.contributor},
            {"change", place.change},
            {"kept", standing.kept},
            {"metric", task.metric},
            {"score", task.score_of(standing.val_bpb)},
            {"parameters", or_null(standing.cost.parameters)},
            {"flops_per_token", or_null(standing.cost.forward_flops_per_token)},
            {"joules_per_token", or_null(standing.cost.joules_per_token)}};
}

// One table per category, in the order of the places.
class Tables {
public:
    Tables(const Ui& ui, const Task& task, const CategoryList& categories, const std::string& mine)
        : ui_(ui), task_(task), categories_(categories), mine_(mine) {}

    void add(const Place& place) {
        const Standing& standing = place.standing;
        if (!table_ || standing.category != category_) begin(place);
        table_->row({standing.runs > 0 ? std::to_string(++rank_) : "-", short_id(standing.candidate),
                     place.score.of(standing.val_bpb), std::to_string(standing.runs), standing.kept ? "yes" : "no",
                     verdict_text(task_, standing), parents_column(place.parents), clean(standing.contributor, 48),
                     clean(place.change)},
                    paint_of(standing));
    }

    std::string take_text() {
        end();
        return std::move(text_);
    }

private:
    void begin(const Place& first) {
        end();
        category_ = first.standing.category;
        noise_known_ = first.noise_known;
        rank_ = 0;
        table_.emplace(std::vector<TextTable::Column>{{"#", true},
                                                      {"id"},
                                                      {clean(task_.metric, 24), true},
                                                      {"runs", true},
                                                      {"kept"},
                                                      {"verdict"},
                                                      {"parents", false, true},
                                                      {"contributor", false, true},
                                                      {"change"}});
    }

    void end() {
        if (!table_) return;
        const auto row = std::ranges::find(categories_.shown, category_, &CategoryRow::name);
        std::string title = row == categories_.shown.end() ? category_ : title_of(*row, mine_);
        if (!noise_known_) title += ", noise unknown";
        text_ += (text_.empty() ? "" : "\n") + ui_.paint(Paint::strong, title) + "\n" + table_->text(ui_);
        table_.reset();
    }

    const Ui& ui_;
    const Task& task_;
    const CategoryList& categories_;
    const std::string& mine_;
    std::optional<TextTable> table_;
    std::string category_, text_;
    bool noise_known_ = false;
    int rank_ = 0;
};

// The candidates that no machine could judge, of the categories that are shown.
Result<std::vector<Unfit>> not_judgeable(Session& session, const CategoryList& categories, const TopOptions& options,
                                         int most, bool hidden_too) {
    if (options.verified) return std::vector<Unfit>();
    TRY_ASSIGN(std::vector<Unfit> unfit, session.index->unfit(most));
    std::erase_if(unfit, [&](const Unfit& one) {
        const bool strange = std::ranges::count(categories.hidden, one.category, &CategoryRow::name) > 0;
        return (!options.category.empty() && one.category != options.category) || (strange && !hidden_too);
    });
    return unfit;
}

std::string text_of(const Session& session, const Unfit& one) {
    const bool own = one.writer == session.clone->writer;
    return fmt::format("not judgeable in {}: {}, {}{}\n", clean(one.category, 32), short_id(one.candidate),
                       clean(one.reason), own ? "" : fmt::format(" (says {})", clean(one.writer, 48)));
}

std::string page_of(const Ui& ui, const Session& session, const CategoryList& categories, const std::string& mine,
                    const std::vector<Place>& places, const std::vector<Unfit>& unfit, bool verified) {
    Tables tables(ui, session.clone->task, categories, mine);
    for (const Place& place : places) tables.add(place);
    std::string text = tables.take_text();
    if (!categories.hidden.empty() && !verified) text += "\n" + hidden_text(categories) + "\n";
    if (!unfit.empty() && !text.empty()) text += "\n";
    for (const Unfit& one : unfit) text += text_of(session, one);
    return text;
}

std::string json_page(const Session& session, const std::string& mine, const std::vector<Place>& places,
                      const std::vector<Unfit>& unfit) {
    Json rows = Json::array(), others = Json::array();
    for (const Place& place : places) rows.push_back(json_of(session.clone->task, place));
    for (const Unfit& one : unfit)
        others.push_back(
            {{"id", one.candidate}, {"category", one.category}, {"reason", one.reason}, {"writer", one.writer}});
    return pretty(Json{{"schema", 1},
                       {"pool", session.clone->task.name},
                       {"category", mine.empty() ? Json(nullptr) : Json(mine)},
                       {"candidates", rows},
                       {"not_judgeable", others}});
}

Result<int> top(Context& context, const TopOptions& options) {
    TRY_ASSIGN(Session session, look_at_session(context));
    const std::int64_t count = options.count.value_or(kTopRows);
    if (count < 0) return fail(Code::usage, "-n takes 0 (all) or a number of candidates", "cultivar top --help");
    const auto most = static_cast<int>(std::min<std::int64_t>(count, 1 << 30));
    const bool json = context.ui.json();
    TRY_ASSIGN(const std::string mine, category_so_far(session, session.clone->task.budget_s));
    TRY_ASSIGN(const CategoryList categories, categories_for(session, options.category, mine));
    TRY_ASSIGN(std::vector<Standing> standings, standings_in(session, categories, most, options.verified, json));
    const bool empty = standings.empty();
    TRY_ASSIGN(const std::vector<Place> places, places_of(session, std::move(standings)));
    TRY_ASSIGN(const std::vector<Unfit> unfit, not_judgeable(session, categories, options, most, json));
    if (empty && !options.category.empty()) TRY(tell_of_category(context, session, options.category));
    if (json) {
        context.ui.print(json_page(session, mine, places, unfit));
        return kYes;
    }
    context.ui.print(page_of(context.ui, session, categories, mine, places, unfit, options.verified));
    if (empty && options.category.empty())
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
