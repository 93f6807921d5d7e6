// diff: shows the genes and the source files in which two candidates differ.
#include <algorithm>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/registry.h"
#include "cli/format/safe_lines.h"
#include "cli/session/session.h"
#include "cli/session/source_edit.h"
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
    TRY_ASSIGN(const std::vector<FileDiff> files, file_diffs(session, pair[0], pair[1]));
    const bool same = changes.empty() && files.empty();
    if (context.ui.json()) {
        Json diffs = Json::array();
        for (const FileDiff& file : files) diffs.push_back({{"path", file.path}, {"diff", valid_utf8(file.text)}});
        context.ui.print(
            pretty(Json{{"schema", 1}, {"a", pair[0].id}, {"b", pair[1].id}, {"genes", rows}, {"files", diffs}}));
        return same ? kYes : kNo;
    }
    if (same) context.ui.note(pair[0].files.empty() ? "no gene differs" : "no gene and no file differs");
    if (!changes.empty()) context.ui.print(table.text(context.ui));
    for (const FileDiff& file : files) context.ui.print(safe_lines(file.text));
    return same ? kYes : kNo;
}

}  // namespace

Action declare_diff(Parser& parser) {
    auto options = std::make_shared<DiffOptions>();
    parser.positional("ID", options->a, "one candidate");
    parser.positional("ID2", options->b, "the other; exit code 1 when they differ, as diff(1)");
    parser.example("cultivar diff 1a2b3c4d 5e6f7a8b", "the genes and files in which they differ");
    return [options](Context& context) { return diff(context, *options); };
}

}  // namespace cultivar
