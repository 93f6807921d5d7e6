// log: shows runs, newest first.
#include <algorithm>
#include <ctime>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/session/score_texts.h"
#include "cli/session/session.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

struct LogArguments {
    std::optional<std::int64_t> count;
    std::string id;
};

Result<int> show_log(Context& context, const LogArguments& options) {
    TRY_ASSIGN(Session session, look_at_session(context));
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
            add_score(json, session.clone->task, row.run.val_bpb);
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
                     {clean(session.clone->task.metric, 24), true},
                     {"steps", true},
                     {"operator"},
                     {"category"},
                     {"writer"},
                     {"why"}});
    const std::int64_t now_s = std::time(nullptr);
    bool to_come = false;
    ScoreTexts scores(session);
    for (const RunRow& row : runs) {
        const Run& run = row.run;
        std::string result(run.status == RunStatus::done ? name(run.decision) : name(run.status));
        if (row.refused) result = "refused";
        Paint paint = run.decision == Decision::kept                   ? Paint::good
                      : run.status == RunStatus::failed || row.refused ? Paint::bad
                                                                       : Paint::none;
        to_come = to_come || is_to_come(run.ended, now_s);
        TRY_ASSIGN(const ScoreText score, scores.in(run.category));
        table.row({time_text(run.ended, now_s), short_id(run.candidate), result, score_text(score, run),
                   std::to_string(run.steps), clean(run.operator_name, 16), clean(run.category, 32),
                   clean(run.writer, 48), clean(row.why_refused.empty() ? run.reason : row.why_refused)},
                  paint);
    }
    context.ui.print(table.text(context.ui));
    if (to_come) context.ui.note("'?': a time still to come: the writer's clock is ahead, or this machine's is behind");
    if (runs.empty()) context.ui.note("nothing was run yet: cultivar explore --runs 3");
    return kYes;
}

}  // namespace

Action declare_log(Parser& parser) {
    auto options = std::make_shared<LogArguments>();
    parser.option("-n", options->count, "N", "at most N runs (default 20)");
    parser.positional("ID", options->id, "only runs of this candidate", false);
    parser.example("cultivar log -n 5", "the last five runs of anyone");
    return [options](Context& context) { return show_log(context, *options); };
}

}  // namespace cultivar
