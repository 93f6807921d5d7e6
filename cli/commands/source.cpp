#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/registry.h"
#include "cli/session/identity.h"
#include "cli/session/session.h"
#include "pool/storage/extra_remote.h"
#include "pool/util/log.h"

namespace cultivar {
namespace {

struct SourceArguments {
    std::string action = "list", name, url, refs;
};

Result<int> list(Context& context, const Clone& clone) {
    TRY_ASSIGN(std::vector<ExtraRemote> known, extra_remotes(clone.repo));
    if (context.ui.json()) {
        Json rows = Json::array();
        for (const ExtraRemote& source : known)
            rows.push_back({{"name", source.name},
                            {"url", mask_secrets(source.url)},
                            {"refs", source.refs.empty() ? Json(nullptr) : Json(source.refs)}});
        context.ui.print(pretty(Json{{"schema", 1}, {"sources", rows}}));
        return kYes;
    }
    TextTable table({{"name"}, {"url"}, {"refs"}});
    for (const ExtraRemote& source : known)
        table.row(
            {source.name, clean(mask_secrets(source.url)), source.refs.empty() ? "its branches" : clean(source.refs)});
    if (!known.empty()) context.ui.print(table.text(context.ui));
    if (known.empty()) context.ui.note("no sources beside origin: cultivar source add NAME URL");
    return kYes;
}

Result<int> source(Context& context, const SourceArguments& options) {
    TRY_ASSIGN(Clone clone, open_clone(context));
    if (options.action == "list") return list(context, clone);
    if (options.action == "add" && !options.name.empty() && !options.url.empty()) {
        TRY_ASSIGN(std::string url, absolute_remote(options.url));
        TRY(add_extra_remote(clone.repo, {options.name, url, options.refs}));
        context.ui.note(fmt::format("the next pull reads {} too", options.name));
        return kYes;
    }
    if (options.action == "remove" && !options.name.empty()) {
        TRY(remove_extra_remote(clone.repo, options.name));
        context.ui.note(fmt::format("{} is read no more", options.name));
        return kYes;
    }
    return fail(Code::usage, "source takes add NAME URL, remove NAME or list", "cultivar source --help");
}

}  // namespace

Action declare_source(Parser& parser) {
    auto options = std::make_shared<SourceArguments>();
    parser.positional("ACTION", options->action, "add, remove or list (the default)", false);
    parser.positional("NAME", options->name, "its name here: lower-case letters, digits and '-'", false);
    parser.positional("URL", options->url, "a fork's repository, or the pool's own for its pull requests", false);
    parser.option("--refs", options->refs, "PATTERN", "refs that hold proposals, e.g. 'refs/pull/*/head'");
    parser.example("cultivar source add ann https://github.com/ann/pool", "read a fork");
    parser.example("cultivar source add requests git@github.com:us/pool.git --refs 'refs/pull/*/head'",
                   "read the pull requests");
    return [options](Context& context) { return source(context, *options); };
}

}  // namespace cultivar
