#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/session/session.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

struct CrossArguments {
    std::string a, b;
};

Result<int> cross_two(Context& context, const CrossArguments& options) {
    TRY_ASSIGN(Session session, open_session(context));
    Index& index = *session.index;
    TRY_ASSIGN(std::string a, index.resolve_candidate(options.a));
    TRY_ASSIGN(std::string b, index.resolve_candidate(options.b));
    if (a == b) return fail(Code::usage, "a cross takes two different candidates", "cultivar top");
    TRY_ASSIGN(CandidateCommit one, index.commit_of(a));
    TRY_ASSIGN(CandidateCommit two, index.commit_of(b));
    TRY_ASSIGN(Cross made, index.lineage().cross_of(one.oid, two.oid));
    TRY(refuse_second_run(session, made.child.id));
    TRY_ASSIGN(std::optional<CandidateRow> known, index.candidate(made.child.id));
    TRY_ASSIGN(int runs, index.replicates(made.child.id));
    TRY_ASSIGN(const std::optional<RunRow> result, first_result(session, made.child.id));
    TRY_ASSIGN(CandidateCommit child, index.lineage().write(made.child, {one.oid, two.oid}));
    std::string branch = candidate_branch(made.child.id, child.oid);
    TRY(ensure_candidate_branch(session.clone->repo, child));
    TRY(index.refresh());

    // The merge names its parents by their commits' order.
    const std::string& first = one.oid < two.oid ? a : b;
    const std::string& second = one.oid < two.oid ? b : a;
    if (context.ui.json()) {
        Json genes = Json::array();
        for (const CrossOrigin& origin : made.origins)
            genes.push_back({{"gene", origin.gene},
                             {"value", origin.value},
                             {"from", origin.from == 'a' ? first : second},
                             {"contested", origin.contested},
                             {"repaired", origin.repaired}});
        Json json = {{"schema", 1},
                     {"id", made.child.id},
                     {"new", !known},
                     {"commit", child.oid},
                     {"branch", branch},
                     {"parents", {first, second}},
                     {"bases", made.bases},
                     {"genes", genes},
                     {"files", made.child.files},
                     {"first_result", result ? Json(result->id) : Json()}};
        context.ui.print(pretty(json));
        return kYes;
    }
    context.ui.print(fmt::format("{} {} cross of {} and {}\n", known ? "already in the pool:" : "made",
                                 short_id(made.child.id), short_id(first), short_id(second)));
    TextTable table({{"gene"}, {"value"}, {"from"}, {""}});
    for (const CrossOrigin& origin : made.origins)
        table.row({origin.gene, origin.value, short_id(origin.from == 'a' ? first : second),
                   origin.repaired    ? "repaired"
                   : origin.contested ? "contested"
                                      : ""});
    if (!made.origins.empty()) context.ui.print(table.text(context.ui));
    for (const std::string& line : file_lines(made.child, one.oid < two.oid ? one.candidate : two.candidate,
                                              one.oid < two.oid ? two.candidate : one.candidate))
        context.ui.print(line + "\n");
    if (result) tell_first_result(context.ui, session.clone->task, *result);
    if (runs == 0) context.ui.note("the next 'cultivar explore' runs it first");
    return kYes;
}

}  // namespace

Action declare_cross(Parser& parser) {
    auto options = std::make_shared<CrossArguments>();
    parser.positional("ID", options->a, "one candidate");
    parser.positional("ID2", options->b, "the other");
    parser.example("cultivar cross 1a2b3c4d 5e6f7a8b", "a child with the changes of both since their common ancestors");
    return [options](Context& context) { return cross_two(context, *options); };
}

}  // namespace cultivar
