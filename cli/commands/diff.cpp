// diff: shows the genes in which two candidates differ.
#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/registry.h"
#include "cli/session/session.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

struct DiffOptions {
    std::string a, b;
};

Result<int> diff(Context& context, const DiffOptions& options) {
    TRY_ASSIGN(Session session, look_at_session(context));
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

Action declare_diff(Parser& parser) {
    auto options = std::make_shared<DiffOptions>();
    parser.positional("ID", options->a, "one candidate");
    parser.positional("ID2", options->b, "the other; exit code 1 when they differ, as diff(1)");
    parser.example("cultivar diff 1a2b3c4d 5e6f7a8b", "the genes in which they differ");
    return [options](Context& context) { return diff(context, *options); };
}

}  // namespace cultivar
