#include <ctime>
#include <memory>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/session/session.h"
#include "pool/clone/journal.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostReason = 1000;

struct RetireArguments {
    std::vector<std::string> ids;
    std::string reason;
    bool undo = false;
};

Json json_of(const std::string& id, const Retired* retired) {
    if (retired == nullptr) return {{"id", id}, {"retired", false}};
    return {{"id", id},
            {"retired", true},
            {"everywhere", retired->everywhere},
            {"writer", retired->writer},
            {"reason", retired->reason},
            {"at", retired->at}};
}

Result<int> list(Context& context, Session& session) {
    TRY_ASSIGN(auto retired, session.index->retired_candidates());
    Json rows = Json::array();
    TextTable table({{"id"}, {"where"}, {"by"}, {"since"}, {"why"}});
    for (const auto& [id, one] : retired) {
        rows.push_back(json_of(id, &one));
        table.row(
            {short_id(id), one.everywhere ? "everywhere" : "here", clean(one.writer, 48), one.at, clean(one.reason)});
    }
    if (context.ui.json()) {
        context.ui.print(pretty(Json{{"schema", 1}, {"candidates", rows}}));
    } else if (retired.empty()) {
        context.ui.note("no candidate is retired");
    } else {
        context.ui.print(table.text(context.ui));
    }
    return kYes;
}

Result<void> write(const Session& session, const std::string& candidate, const RetireArguments& options) {
    const Clone& clone = *session.clone;
    Retirement said{clone.task_id,  candidate,    !options.undo,
                    options.reason, clone.writer, utc_text(std::time(nullptr))};
    auto written = append_record(clone, said);
    return written ? Result<void>() : fail(written.error());
}

std::string outcome(const std::string& id, const Retired* retired) {
    if (retired == nullptr) return fmt::format("{} is explored again\n", short_id(id));
    return fmt::format("{} is retired {}\n", short_id(id),
                       retired->everywhere ? "everywhere" : "in this clone; others who keep it go on with it");
}

Result<int> retire(Context& context, const RetireArguments& options) {
    if (options.reason.size() > kMostReason || options.reason.find('\n') != std::string::npos)
        return fail(Code::usage, fmt::format("--reason takes one line of at most {} bytes", kMostReason));
    if (options.ids.empty() && (options.undo || !options.reason.empty()))
        return fail(Code::usage, "no candidate is named", "cultivar retire --help");
    TRY_ASSIGN(Session session, open_session(context));
    if (options.ids.empty()) return list(context, session);
    std::vector<std::string> ids;  // all of them are found before anything is written
    for (const std::string& prefix : options.ids) {
        TRY_ASSIGN(std::string id, session.index->resolve_candidate(prefix));
        ids.push_back(id);
    }
    for (const std::string& id : ids) TRY(write(session, id, options));
    TRY(session.index->refresh());
    TRY_ASSIGN(auto retired, session.index->retired_candidates());
    Json rows = Json::array();
    for (const std::string& id : ids) {
        const auto found = retired.find(id);
        const Retired* one = found == retired.end() ? nullptr : &found->second;
        rows.push_back(json_of(id, one));
        if (!context.ui.json()) context.ui.print(outcome(id, one));
    }
    if (context.ui.json()) context.ui.print(pretty(Json{{"schema", 1}, {"candidates", rows}}));
    context.ui.note("others learn of it by the next 'cultivar propose'");
    return kYes;
}

}  // namespace

Action declare_retire(Parser& parser) {
    auto options = std::make_shared<RetireArguments>();
    parser.positionals("ID", options->ids, "candidates; without any, those that are retired are listed");
    parser.option("--reason", options->reason, "TEXT", "why, for others to read");
    parser.flag("--undo", options->undo, "explore them again");
    parser.example("cultivar retire 1a2b3c4d --reason 'diverges on longer budgets'", "no more runs of it or from it");
    parser.example("cultivar retire", "the retired candidates with writer and reason");
    return [options](Context& context) { return retire(context, *options); };
}

}  // namespace cultivar
