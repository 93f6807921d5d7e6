// propose: pushes this clone's records, candidates and artifacts.
#include "pool/sync/propose.h"
#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/session/session.h"

namespace cultivar {
namespace {

struct ProposeOptions {
    std::vector<std::string> ids;
    bool all = false;
    Destination destination;
};

Result<int> run_propose(Context& context, const ProposeOptions& options) {
    TRY_ASSIGN(Session session, open_session(context));
    std::vector<std::string> ids;
    for (const std::string& prefix : options.ids) {
        TRY_ASSIGN(std::string id, session.index->resolve_candidate(prefix));
        ids.push_back(std::move(id));
    }
    if (options.all && !ids.empty())
        return fail(Code::usage, "--all and ids exclude each other", "cultivar propose --help");
    auto git = open_transport(session.clone->repo.git_dir(), [&] { return context.interrupted(); });
    TRY_ASSIGN(ProposeReport report, propose(*session.clone, *session.index, *git, ids, options.destination));
    if (context.ui.json()) {
        Json refused = Json::array();
        for (const PushStatus& status : report.refused)
            refused.push_back({{"ref", status.remote}, {"reason", status.reason}});
        Json json = {{"schema", 1},
                     {"records", report.records},
                     {"candidates", report.candidates},
                     {"artifacts", report.artifacts},
                     {"main", report.main_moved},
                     {"rejoined", report.rejoined.theirs},
                     {"sent_again", report.sent_again},
                     {"branch", report.proposal.empty() ? Json(nullptr) : Json(report.proposal)},
                     {"refused", refused}};
        context.ui.print(pretty(json));
    } else {
        tell_proposed(context.ui, report);
    }
    return report.refused.empty() ? kYes : kFailed;
}

}  // namespace

Action declare_propose(Parser& parser) {
    auto options = std::make_shared<ProposeOptions>();
    parser.positionals("ID", options->ids,
                       "candidates to claim, even if they were reverted (default: all that were kept)");
    parser.flag("--all", options->all, "every kept candidate that is not claimed yet (the default)");
    parser.option("--to", options->destination.to, "FORK", "push there instead of to origin: a URL or a remote's name");
    parser.flag("--pr", options->destination.as_bundle, "as one commit, for a pull request");
    parser.example("cultivar propose --to git@github.com:me/pool.git --pr", "without write access to the pool");
    parser.example("cultivar propose", "share every run, and claim every kept candidate");
    parser.example("cultivar propose 1a2b3c4d", "claim one candidate");
    return [options](Context& context) { return run_propose(context, *options); };
}

}  // namespace cultivar
