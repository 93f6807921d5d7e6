#include "cli/commands/import_source.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/session/session.h"
#include "cli/session/source_edit.h"
#include "pool/types/score_text.h"
#include "pool/util/file.h"
#include "pool/util/patch.h"
#include "pool/util/short_id.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

// Its best score here, in words; "" where it has none.
Result<std::string> known_score(Session& session, const std::string& id) {
    TRY_ASSIGN(const std::vector<RunRow> runs, session.index->runs(id));
    std::optional<double> best;
    for (const RunRow& row : runs) {
        if (row.run.status == RunStatus::done && row.run.val_bpb && (!best || *row.run.val_bpb < *best))
            best = row.run.val_bpb;
    }
    return best ? fmt::format(", which scored {}", ScoreText(session.clone->task).of(*best)) : std::string();
}

Result<void> refuse_known(Session& session, const Candidate& child) {
    TRY_ASSIGN(const std::optional<CandidateRow> row, session.index->candidate(child.id));
    if (!row) return {};
    TRY_ASSIGN(const std::string score, known_score(session, child.id));
    return fail(Code::unfit, fmt::format("this is candidate {}{}", short_id(child.id), score),
                fmt::format("cultivar show {}", short_id(child.id)));
}

Result<FileBytes> wanted_files(Session& session, const Candidate& parent, const std::string& folder,
                               const std::string& patch) {
    if (patch.empty()) return read_source_folder(folder);
    TRY_ASSIGN(const std::string text, read_file(patch, kMaxPatch_bytes));
    TRY_ASSIGN(FileBytes files, files_of_run(session, parent));
    return patched_files(std::move(files), text, patch);
}

}  // namespace

Result<int> import_source(Context& context, const std::string& folder, const std::string& patch,
                          const std::string& parent) {
    TRY_ASSIGN(Session session, open_session(context));
    const Clone& clone = *session.clone;
    TRY_ASSIGN(const std::string id, session.index->resolve_candidate(parent));
    TRY_ASSIGN(const CandidateCommit from, session.index->commit_of(id));
    TRY_ASSIGN(const FileBytes files, wanted_files(session, from.candidate, folder, patch));
    TRY_ASSIGN(const Candidate child, child_with_files(session, from.candidate, files));
    TRY(refuse_known(session, child));
    TRY_ASSIGN(const CandidateCommit commit, session.index->lineage().write(child, {from.oid}));
    TRY(ensure_candidate_branch(session.clone->repo, commit));
    TRY(session.index->refresh());
    const std::string branch = candidate_branch(child.id, commit.oid);
    const auto changes = candidate_changes(clone.task.space, from.candidate, child);
    if (context.ui.json()) {
        Json changed = Json::array();
        for (const GeneChange& change : changes) changed.push_back(change.gene);
        context.ui.print(pretty(Json{{"schema", 1},
                                     {"id", child.id},
                                     {"toml", child.toml},
                                     {"new", true},
                                     {"branch", branch},
                                     {"parents", {id}},
                                     {"changed", changed},
                                     {"dropped", Json::array()}}));
        return kYes;
    }
    context.ui.print(fmt::format("imported {}, a child of {}\n", short_id(child.id), short_id(id)));
    for (const GeneChange& change : changes) context.ui.print(fmt::format("  {}\n", change.gene));
    context.ui.note("the next 'cultivar explore' runs it first");
    return kYes;
}

}  // namespace cultivar
