// index: updates or rebuilds the local index.
#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/session/sandboxed_reader.h"
#include "cli/session/session.h"

namespace cultivar {
namespace {

Result<RefreshReport> read_what_came(const Context& context) {
    TRY_ASSIGN(Clone clone, open_clone(context.folder));
    TRY_ASSIGN(Index index, Index::open(clone));
    return index.opened_with();
}

Result<RefreshReport> read_again(const Context& context) {
    TRY(remove_index(context.folder));
    TRY_ASSIGN(Clone clone, open_clone(context.folder));
    TRY_ASSIGN(Index index, Index::open(clone, reader_apart([&] { return context.interrupted(); }, clone)));
    return index.opened_with();
}

Result<int> run_index(Context& context, const std::string& action) {
    if (action != "rebuild" && action != "refresh")
        return fail(Code::usage, fmt::format("unknown action '{}'", clean(action)), "cultivar index rebuild");
    const auto report = action == "rebuild" ? read_again(context) : read_what_came(context);
    if (context.ui.json() && (report || action == "refresh")) {
        context.ui.print(report_json(report));
        return report ? kYes : kFailed;
    }
    if (!report) return fail(report.error());
    context.ui.print(fmt::format("read {} runs, {} candidates, {} claims, {} verdicts{}\n", report->runs,
                                 report->candidates, report->claims, report->verdicts,
                                 action == "rebuild" ? " again" : ""));
    if (!report->refused.empty()) context.ui.note(fmt::format("{} refused: cultivar fsck", report->refused.size()));
    return kYes;
}

}  // namespace

Action declare_index(Parser& parser) {
    auto action = std::make_shared<std::string>();
    parser.positional("ACTION", *action, "refresh: read new records; rebuild: read everything again");
    parser.example("cultivar index rebuild", "if the index seems wrong");
    return [action](Context& context) { return run_index(context, *action); };
}

}  // namespace cultivar
