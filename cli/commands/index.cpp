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

struct IndexArguments {
    std::string action;
    std::optional<std::string> public_key, cache, index;  // HandedOver
};

Result<RefreshReport> read_what_came(const Context& context, const IndexArguments& options) {
    const HandedOver handed_over{options.public_key.value_or(""), options.cache.value_or(""),
                                 options.index.value_or("")};
    TRY_ASSIGN(Clone clone, open_clone(context.folder, options.cache ? &handed_over : nullptr));
    TRY_ASSIGN(Index index, Index::open(clone));
    return index.opened_with();
}

Result<RefreshReport> read_again(Context& context) {
    TRY(remove_index(context.folder));
    TRY_ASSIGN(Clone clone, open_clone(context));
    TRY_ASSIGN(Index index, Index::open(clone, reader_apart([&] { return context.interrupted(); }, clone)));
    return index.opened_with();
}

Result<int> run_index(Context& context, const IndexArguments& options) {
    const std::string& action = options.action;
    if (action != "rebuild" && action != "refresh")
        return fail(Code::usage, fmt::format("unknown action '{}'", clean(action)), "cultivar index rebuild");
    const auto report = action == "rebuild" ? read_again(context) : read_what_came(context, options);
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
    auto options = std::make_shared<IndexArguments>();
    parser.hidden("--public-key", options->public_key);
    parser.hidden("--cache", options->cache);
    parser.hidden("--index", options->index);
    parser.positional("ACTION", options->action, "refresh: read new records; rebuild: read everything again");
    parser.example("cultivar index rebuild", "if the index seems wrong");
    return [options](Context& context) { return run_index(context, *options); };
}

}  // namespace cultivar
