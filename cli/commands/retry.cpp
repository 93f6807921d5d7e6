// retry: holds no failure against candidates any more, and has them tried again first.
#include <memory>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/session/lifted_failures.h"
#include "cli/session/session.h"

namespace cultivar {
namespace {

struct RetryArguments {
    std::vector<std::string> ids;
};

Result<std::vector<std::string>> own_failures(Session& session, const std::string& candidate) {
    TRY_ASSIGN(std::vector<RunRow> runs, session.index->runs(candidate));
    std::vector<std::string> records;
    for (const RunRow& row : runs) {
        if (row.run.writer == session.clone->writer && row.run.status == RunStatus::failed) records.push_back(row.id);
    }
    return records;
}

Result<int> retry(Context& context, const RetryArguments& options) {
    if (options.ids.empty()) return fail(Code::usage, "no candidate is named", "cultivar retry --help");
    TRY_ASSIGN(Session session, open_session(context));
    std::vector<std::string> ids;  // all of them are found before anything is written
    for (const std::string& prefix : options.ids) {
        TRY_ASSIGN(std::string id, session.index->resolve_candidate(prefix));
        TRY(refuse_second_run(session, id));
        ids.push_back(std::move(id));
    }
    Json rows = Json::array();
    for (const std::string& id : ids) {
        TRY_ASSIGN(const std::vector<std::string> records, own_failures(session, id));
        TRY(lift_failures(session, records));
        rows.push_back({{"id", id}, {"lifted", records.size()}});
        if (!context.ui.json())
            context.ui.print(records.empty()
                                 ? fmt::format("{} has no failed run of this clone\n", short_id(id))
                                 : fmt::format("{}: {} failed run{} lifted; explore tries it next\n", short_id(id),
                                               records.size(), records.size() == 1 ? "" : "s"));
    }
    if (context.ui.json()) context.ui.print(pretty(Json{{"schema", 1}, {"candidates", rows}}));
    return kYes;
}

}  // namespace

Action declare_retry(Parser& parser) {
    auto options = std::make_shared<RetryArguments>();
    parser.positionals("ID", options->ids, "candidates whose runs failed here");
    parser.example("cultivar retry 1a2b3c4d", "its failures no longer count here; explore tries it next");
    return [options](Context& context) { return retry(context, *options); };
}

}  // namespace cultivar
