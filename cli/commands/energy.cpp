// energy: sums the energy of runs and verdicts, with carbon, water and money by stated factors.
#include <memory>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/commands/registry.h"
#include "cli/energy/energy_report.h"
#include "cli/format/energy_view.h"
#include "cli/session/session.h"
#include "energy/factors/fetch.h"

namespace cultivar {
namespace {

constexpr const char* kKeysHelp = "run, candidate, lineage, operator, contributor, category, day or zone";

struct EnergyArguments {
    std::string id;
    std::optional<std::string> by;
    bool fetch = false;
};

// A file that cannot be refreshed stays as it is, and the sums go on.
Result<void> fetch_all(Context& context) {
    TRY_ASSIGN(const std::vector<FetchedFile> files, fetched_files(user_factor_file()));
    if (files.empty()) context.ui.note(fmt::format("no factor in '{}' has a fetch command", user_factor_file()));
    for (const FetchedFile& file : files) {
        auto done = fetch_file(file, [&] { return context.interrupted(); });
        if (!done && done.error().code == Code::interrupted) return done;
        if (!done) context.ui.warn(clean(done.error().message));
    }
    return {};
}

Result<EnergyQuery> query_of(Session& session, const EnergyArguments& options) {
    EnergyQuery query;
    if (options.by && !options.id.empty())
        return fail(Code::usage, "an id and --by exclude each other", "cultivar energy --help");
    if (options.by) {
        query.by = energy_by(*options.by);
        if (!query.by)
            return fail(Code::usage, fmt::format("--by = '{}': it takes {}", clean(*options.by, 40), kKeysHelp));
    }
    if (!options.id.empty()) {
        TRY_ASSIGN(query.id, session.index->resolve_any(options.id));
    }
    return query;
}

Result<int> energy(Context& context, const EnergyArguments& options) {
    if (options.fetch) TRY(fetch_all(context));
    TRY_ASSIGN(Session session, look_at_session(context));
    TRY_ASSIGN(const EnergyQuery query, query_of(session, options));
    TRY_ASSIGN(const Factors factors, known_factors());
    TRY_ASSIGN(const EnergyReport report, energy_report(*session.index, factors, query));
    const std::string by = options.by.value_or(query.id.empty() ? "" : "candidate or run");
    if (context.ui.json()) {
        context.ui.print(pretty(energy_json(report, by)));
    } else if (report.total.runs == 0) {
        context.ui.note("no energy is recorded: cultivar explore --runs 3");
    } else {
        context.ui.print(energy_text(context.ui, session.clone->task, report, by));
    }
    return kYes;
}

}  // namespace

Action declare_energy(Parser& parser) {
    auto options = std::make_shared<EnergyArguments>();
    parser.positional("ID", options->id, "a run, or a candidate, with its ancestors beside it", false);
    parser.option("--by", options->by, "KEY", fmt::format("a row for each {}", kKeysHelp));
    parser.flag("--fetch", options->fetch, "run the fetch commands of energy.toml first");
    parser.example("cultivar energy", "joules, carbon and water of the whole pool");
    parser.example("cultivar energy --by contributor", "the same for each key");
    parser.example("cultivar energy --by day --json", "every axis and bound, for a program");
    return [options](Context& context) { return energy(context, *options); };
}

}  // namespace cultivar
