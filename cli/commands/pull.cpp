// pull: fetches the records and candidates of others.
#include "pool/sync/pull.h"
#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/session/session.h"

namespace cultivar {
namespace {

Json refusals(const std::vector<Refusal>& refused) {
    Json rows = Json::array();
    for (const Refusal& refusal : refused) rows.push_back({{"where", refusal.where}, {"reason", refusal.reason}});
    return rows;
}

Result<int> run_pull(Context& context) {
    TRY_ASSIGN(Session session, open_session(context));
    auto git = open_transport(session.clone->repo.git_dir(), [&] { return context.interrupted(); });
    TRY_ASSIGN(PullReport report, pull(*session.clone, *session.index, *git));
    if (context.ui.json()) {
        Json json = {{"schema", 1},
                     {"runs", report.runs},
                     {"candidates", report.candidates},
                     {"claims", report.claims},
                     {"verdicts", report.verdicts},
                     {"contributors", report.contributors},
                     {"retirements", report.retirements},
                     {"under_way", report.leases},
                     {"proposals", report.proposals},
                     {"archived", report.archived},
                     {"main", report.main_moved},
                     {"rejoined", report.rejoined.theirs},
                     {"left", report.left},
                     {"changed_terms", report.changed_terms},
                     {"of_other_tasks", report.other_task},
                     {"more_refused", report.more_refused},
                     {"refused", refusals(report.refused)}};
        context.ui.print(pretty(json));
    } else {
        tell_refresh(context.ui, report);
    }
    if (report.main_refused) return fail(*report.main_refused);
    return kYes;
}

}  // namespace

Action declare_pull(Parser& parser) {
    parser.example("cultivar pull", "get the news from others");
    return [](Context& context) { return run_pull(context); };
}

}  // namespace cultivar
