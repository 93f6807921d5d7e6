// top, log and diff: the pool as tables.
#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/session/session.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

std::string parents_text(const std::vector<std::string>& parents) {
    std::vector<std::string> shown;
    for (const std::string& parent : parents) shown.push_back(short_id(parent));
    return parents.empty() ? "-" : fmt::format("{}", fmt::join(shown, "+"));
}

std::string verdict_text(const Standing& standing) {
    if (standing.record) return "record";
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

Result<int> top(Context& context, const TopOptions& options) {
    TRY_ASSIGN(Session session, open_session(context));
    const std::int64_t count = options.count.value_or(kTopRows);
    if (count < 0) return fail(Code::usage, "-n takes 0 (all) or a number of candidates", "cultivar top --help");
    TRY_ASSIGN(std::vector<Standing> standings,
               session.index->standings(options.category, static_cast<int>(std::min<std::int64_t>(count, 1 << 30)),
                                        options.verified));
    Json rows = Json::array();
    std::string text, category;
    std::optional<TextTable> table;
    auto close_table = [&] {
        if (table)
            text +=
                (text.empty() ? "" : "\n") + context.ui.paint(Paint::strong, category) + "\n" + table->text(context.ui);
    };
    int rank = 0;  // within the category
    for (const Standing& standing : standings) {
        TRY_ASSIGN(std::optional<CandidateRow> row, session.index->candidate(standing.candidate));
        if (!row) continue;
        std::string change = change_against(session, *row, row->parents.empty() ? "" : row->parents[0]);
        rows.push_back({{"id", standing.candidate},
                        {"val_bpb", standing.val_bpb},
                        {"runs", standing.runs},
                        {"category", standing.category},
                        {"verdict", standing.verdict.empty() ? Json(nullptr) : Json(standing.verdict)},
                        {"record", standing.record},
                        {"parents", row->parents},
                        {"contributor", standing.contributor},
                        {"change", change},
                        {"kept", standing.kept},
                        {"parameters", or_null(standing.cost.parameters)},
                        {"flops_per_token", or_null(standing.cost.forward_flops_per_token)},
                        {"joules_per_token", or_null(standing.cost.joules_per_token)}});
        if (standing.category != category) {
            close_table();
            category = standing.category;
            table.emplace(std::vector<TextTable::Column>{{"#", true},
                                                         {"id"},
                                                         {"val_bpb", true},
                                                         {"runs", true},
                                                         {"kept"},
                                                         {"verdict"},
                                                         {"parents"},
                                                         {"contributor"},
                                                         {"change"}});
            rank = 0;
        }
        bool counts = standing.runs > 0;
        table->row(
            {counts ? std::to_string(++rank) : "-", short_id(standing.candidate),
             fmt::format("{:.4f}", standing.val_bpb), std::to_string(standing.runs), standing.kept ? "yes" : "no",
             verdict_text(standing), parents_text(row->parents), clean(standing.contributor, 48), clean(change)},
            paint_of(standing));
    }
    close_table();
    std::vector<Unfit> unfit;
    if (!options.verified) {
        TRY_ASSIGN(unfit, session.index->unfit(static_cast<int>(std::min<std::int64_t>(count, 1 << 30))));
    }
    Json not_judgeable = Json::array();
    for (const Unfit& one : unfit) {
        if (!options.category.empty() && one.category != options.category) continue;
        not_judgeable.push_back({{"id", one.candidate}, {"category", one.category}, {"reason", one.reason}});
        text += (not_judgeable.size() == 1 && !text.empty() ? "\n" : "") +
                fmt::format("not judgeable in {}: {}, {}\n", clean(one.category, 32), short_id(one.candidate),
                            clean(one.reason));
    }
    if (context.ui.json()) {
        context.ui.print(pretty(Json{{"schema", 1},
                                     {"pool", session.clone->task.name},
                                     {"candidates", rows},
                                     {"not_judgeable", not_judgeable}}));
        return kYes;
    }
    context.ui.print(text);
    if (standings.empty())
        context.ui.note(options.verified ? "nothing is accepted yet: cultivar verify"
                                         : "nothing is scored yet: cultivar explore --runs 3");
    TRY_ASSIGN(auto retired, session.index->retired_candidates());
    if (!retired.empty()) context.ui.note(fmt::format("retired and left out: {} (cultivar retire)", retired.size()));
    return kYes;
}

struct LogOptions {
    std::optional<std::int64_t> count;
    std::string id;
};

Result<int> show_log(Context& context, const LogOptions& options) {
    TRY_ASSIGN(Session session, open_session(context));
    auto count = options.count.value_or(20);
    if (count < 1 || count > 1'000'000) return fail(Code::usage, "-n takes a number from 1", "cultivar log --help");
    std::vector<RunRow> runs;
    if (options.id.empty()) {
        TRY_ASSIGN(runs, session.index->newest_runs(static_cast<int>(count)));
    } else {
        TRY_ASSIGN(std::string id, session.index->resolve_candidate(options.id));
        TRY_ASSIGN(runs, session.index->runs(id));
        std::reverse(runs.begin(), runs.end());
        if (static_cast<std::int64_t>(runs.size()) > count) runs.resize(static_cast<std::size_t>(count));
    }
    if (context.ui.json()) {
        Json rows = Json::array();
        for (const RunRow& row : runs) {
            Json json = Json::parse(to_line(Record(row.run)));
            json["id"] = row.id;
            json["refused"] = row.refused ? Json(row.why_refused.empty() ? "its claim was rejected" : row.why_refused)
                                          : Json(nullptr);
            rows.push_back(std::move(json));
        }
        context.ui.print(pretty(Json{{"schema", 1}, {"runs", rows}}));
        return kYes;
    }
    TextTable table({{"ended"},
                     {"candidate"},
                     {"result"},
                     {"val_bpb", true},
                     {"steps", true},
                     {"operator"},
                     {"category"},
                     {"writer"},
                     {"why"}});
    const std::int64_t now_s = std::time(nullptr);
    bool to_come = false;
    for (const RunRow& row : runs) {
        const Run& run = row.run;
        std::string result(run.status == RunStatus::done ? name(run.decision) : name(run.status));
        if (row.refused) result = "refused";
        Paint paint = run.decision == Decision::kept                   ? Paint::good
                      : run.status == RunStatus::failed || row.refused ? Paint::bad
                                                                       : Paint::none;
        to_come = to_come || is_to_come(run.ended, now_s);
        table.row({time_text(run.ended, now_s), short_id(run.candidate), result, score_text(run),
                   std::to_string(run.steps), clean(run.operator_name, 16), clean(run.category, 32),
                   clean(run.writer, 48), clean(row.why_refused.empty() ? run.reason : row.why_refused)},
                  paint);
    }
    context.ui.print(table.text(context.ui));
    if (to_come) context.ui.note("'?': a time still to come: the writer's clock is ahead, or this machine's is behind");
    if (runs.empty()) context.ui.note("nothing was run yet: cultivar explore --runs 3");
    return kYes;
}

struct DiffOptions {
    std::string a, b;
};

Result<int> diff(Context& context, const DiffOptions& options) {
    TRY_ASSIGN(Session session, open_session(context));
    std::vector<Candidate> pair;
    for (const std::string& prefix : {options.a, options.b}) {
        TRY_ASSIGN(std::string id, session.index->resolve_candidate(prefix));
        TRY_ASSIGN(std::optional<CandidateRow> row, session.index->candidate(id));
        TRY_ASSIGN(Candidate candidate, parse_canonical(session.clone->task.space, session.clone->task_id, row->toml));
        pair.push_back(std::move(candidate));
    }
    auto changes = gene_changes(session.clone->task.space, pair[0].genes, pair[1].genes);
    Json rows = Json::array();
    TextTable table({{"gene"}, {short_id(pair[0].id)}, {short_id(pair[1].id)}});
    auto shown = [](const std::string& value) { return value.empty() ? std::string("unset") : value; };
    for (const GeneChange& change : changes) {
        rows.push_back({{"gene", change.gene}, {"a", change.before}, {"b", change.after}});
        table.row({change.gene, shown(change.before), shown(change.after)});
    }
    if (context.ui.json()) {
        context.ui.print(pretty(Json{{"schema", 1}, {"a", pair[0].id}, {"b", pair[1].id}, {"genes", rows}}));
    } else if (changes.empty()) {
        context.ui.note("no gene differs");
    } else {
        context.ui.print(table.text(context.ui));
    }
    return changes.empty() ? kYes : kNo;
}

}  // namespace

Action declare_top(Parser& parser) {
    auto options = std::make_shared<TopOptions>();
    parser.option("--category", options->category, "NAME", "only this category");
    parser.flag("--verified", options->verified, "only what a verifier accepted");
    parser.option("-n", options->count, "N", "at most N candidates of each category (default 20; 0: all)");
    parser.example("cultivar top", "the leaderboard, a table for each category");
    parser.example("cultivar top --json | jq '.candidates[0].id'", "the best candidate of the first category");
    return [options](Context& context) { return top(context, *options); };
}

Action declare_log(Parser& parser) {
    auto options = std::make_shared<LogOptions>();
    parser.option("-n", options->count, "N", "at most N runs (default 20)");
    parser.positional("ID", options->id, "only runs of this candidate", false);
    parser.example("cultivar log -n 5", "the last five runs of anyone");
    return [options](Context& context) { return show_log(context, *options); };
}

Action declare_diff(Parser& parser) {
    auto options = std::make_shared<DiffOptions>();
    parser.positional("ID", options->a, "one candidate");
    parser.positional("ID2", options->b, "the other; exit code 1 when they differ, as diff(1)");
    parser.example("cultivar diff 1a2b3c4d 5e6f7a8b", "the genes in which they differ");
    return [options](Context& context) { return diff(context, *options); };
}

}  // namespace cultivar
