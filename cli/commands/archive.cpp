// archive, gc, fsck and index: keeping a pool small and whole.
#include <filesystem>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/session/sandboxed_reader.h"
#include "cli/session/session.h"
#include "pool/integrity/fsck.h"
#include "pool/storage/artifact_commit.h"
#include "pool/sync/archive.h"
#include "pool/sync/pull.h"

namespace cultivar {
namespace {

std::string counted(std::size_t count, const char* word) {
    return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::unique_ptr<Transport> transport_of(Context& context, const Session& session) {
    return open_transport(session.clone->repo.git_dir(), [&context] { return context.interrupted(); });
}

struct ArchiveOptions {
    std::optional<std::int64_t> keep;
    bool dry_run = false;
};

Result<int> run_archive(Context& context, const ArchiveOptions& options) {
    const std::int64_t keep = options.keep.value_or(static_cast<std::int64_t>(kLiveBranches));
    if (keep < 0) return fail(Code::usage, "--keep takes a number of branches", "cultivar archive --help");
    TRY_ASSIGN(Session session, open_session(context));
    auto transport = transport_of(context, session);
    TRY(pull(*session.clone, *session.index, *transport));
    TRY_ASSIGN(ArchivePlan plan, plan_archive(*session.clone, *session.index, static_cast<std::size_t>(keep)));
    ArchiveReport done;
    if (!options.dry_run) {
        TRY_ASSIGN(done, archive(*session.clone, *session.index, *transport, plan));
    }
    const std::size_t candidates = plan.branches.size() + plan.candidates.size();
    if (context.ui.json()) {
        Json json = {{"schema", 1},
                     {"dry_run", options.dry_run},
                     {"candidates", candidates},
                     {"journals", plan.journals.size()},
                     {"commits", done.commits},
                     {"deleted_branches", done.deleted}};
        context.ui.print(pretty(json));
    } else if (plan.empty()) {
        context.ui.note(
            fmt::format("nothing to archive: at most {} live", counted(static_cast<std::size_t>(keep), "branch")));
    } else {
        context.ui.print(fmt::format("{} {} and {}\n", options.dry_run ? "would archive" : "archived",
                                     counted(candidates, "candidate"), counted(plan.journals.size(), "journal")));
        for (const PushStatus& status : done.refused)
            context.ui.warn(fmt::format("the remote kept {}: {}", clean(status.remote), clean(status.reason)));
    }
    return done.refused.empty() ? kYes : kFailed;
}

struct GcOptions {
    std::optional<std::int64_t> keep;
    bool remote = false, dry_run = false;
};

// What lies here and is of no further use: artifacts that were judged or whose runs were reverted.
Result<std::vector<Ref>> useless_here(Session& session, int keep) {
    TRY_ASSIGN(std::set<std::string> judged, session.index->judged_artifacts(keep));
    TRY_ASSIGN(std::set<std::string> needed, session.index->needed_artifacts());
    TRY_ASSIGN(std::vector<std::string> claimed, session.index->claimed_artifacts());
    needed.insert(claimed.begin(), claimed.end());
    TRY_ASSIGN(std::vector<Ref> refs, session.clone->repo.refs(std::string(kArtifactRefs)));
    std::erase_if(refs, [&](const Ref& ref) {
        const std::string digest = *artifact_of_ref(ref.name);
        return !judged.count(digest) && needed.count(digest) > 0;
    });
    return refs;
}

Result<std::vector<PushItem>> useless_there(Session& session, Transport& transport, int keep) {
    TRY_ASSIGN(std::set<std::string> judged, session.index->judged_artifacts(keep));
    TRY_ASSIGN(RemoteRefs refs, transport.list(kRemote));
    std::vector<PushItem> items;
    for (const auto& [name, oid] : refs) {
        const auto digest = artifact_of_ref(name);
        if (digest && judged.count(*digest)) items.push_back({"", name});
    }
    return items;
}

Result<int> run_gc(Context& context, const GcOptions& options) {
    const std::int64_t keep = options.keep.value_or(std::int64_t{kKeptArtifacts});
    if (keep < 0 || keep > 1'000'000)
        return fail(Code::usage, "--keep takes a number of artifacts", "cultivar gc --help");
    TRY_ASSIGN(Session session, open_session(context));
    TRY_ASSIGN(std::vector<Ref> here, useless_here(session, static_cast<int>(keep)));
    std::vector<PushItem> there;
    std::size_t refused = 0;
    auto transport = transport_of(context, session);
    if (options.remote) {
        TRY_ASSIGN(there, useless_there(session, *transport, static_cast<int>(keep)));
    }
    if (!options.dry_run) {
        if (!there.empty()) {
            TRY_ASSIGN(std::vector<PushStatus> statuses, transport->push(kRemote, there));
            for (const PushStatus& status : statuses) {
                if (status.accepted) continue;
                ++refused;
                context.ui.warn(fmt::format("the remote kept {}: {}", clean(status.remote), clean(status.reason)));
            }
        }
        for (const Ref& ref : here) TRY(session.clone->repo.delete_ref(ref.name));
    }
    if (context.ui.json()) {
        context.ui.print(pretty(Json{
            {"schema", 1}, {"dry_run", options.dry_run}, {"here", here.size()}, {"remote", there.size() - refused}}));
    } else {
        std::string text =
            fmt::format("{} {} here", options.dry_run ? "would drop" : "dropped", counted(here.size(), "artifact"));
        if (options.remote) text += fmt::format(" and {} on the remote", there.size() - refused);
        context.ui.print(text + "\n");
        if (!options.dry_run && !here.empty()) context.ui.note("git gc --prune=now frees the space");
    }
    return refused == 0 ? kYes : kFailed;
}

Result<int> run_fsck(Context& context) {
    TRY_ASSIGN(Clone clone, open_clone(context.folder));
    TRY(enter_reading_sandbox(clone));
    TRY_ASSIGN(FsckReport report, fsck(clone));
    if (context.ui.json()) {
        Json problems = Json::array();
        for (const Refusal& problem : report.problems)
            problems.push_back({{"where", problem.where}, {"reason", problem.reason}});
        Json odd = Json::array();
        for (const Refusal& one : report.odd) odd.push_back({{"where", one.where}, {"reason", one.reason}});
        context.ui.print(pretty(Json{{"schema", 1},
                                     {"runs", report.runs},
                                     {"candidates", report.candidates},
                                     {"claims", report.claims},
                                     {"verdicts", report.verdicts},
                                     {"logs", report.logs},
                                     {"signatures", report.signatures},
                                     {"artifacts", report.artifacts},
                                     {"problems", problems},
                                     {"odd", odd}}));
    } else {
        context.ui.print(fmt::format(
            "read {} runs, {} candidates, {} claims, {} verdicts; {} signatures of {} logs, {} "
            "artifacts: {}\n",
            report.runs, report.candidates, report.claims, report.verdicts, report.signatures, report.logs,
            report.artifacts, report.problems.empty() ? "all good" : counted(report.problems.size(), "problem")));
        for (const Refusal& problem : report.problems)
            context.ui.print(fmt::format("{} {}\n", clean(problem.where), clean(problem.reason)));
        for (const Refusal& one : report.odd)
            context.ui.print(fmt::format("odd: {}: {}\n", clean(one.where), clean(one.reason)));
    }
    return report.problems.empty() ? kYes : kNo;
}

Result<RefreshReport> read_what_came(const Context& context) {
    TRY_ASSIGN(Clone clone, open_clone(context.folder));
    TRY_ASSIGN(Index index, Index::open(clone));
    return index.opened_with();
}

Result<RefreshReport> read_again(const Context& context) {
    TRY_ASSIGN(Clone clone, open_clone(context.folder));
    std::error_code ec;
    for (const char* tail : {"", "-wal", "-shm"}) std::filesystem::remove(clone.state_dir + "index.sqlite" + tail, ec);
    TRY_ASSIGN(Index index, Index::open(clone, reader_apart([&] { return context.interrupted(); }, clone)));
    return index.opened_with();
}

Result<int> run_index(Context& context, const std::string& what) {
    if (what != "rebuild" && what != "refresh")
        return fail(Code::usage, fmt::format("unknown action '{}'", clean(what)), "cultivar index rebuild");
    const auto report = what == "rebuild" ? read_again(context) : read_what_came(context);
    if (context.ui.json() && (report || what == "refresh")) {
        context.ui.print(report_json(report));
        return report ? kYes : kFailed;
    }
    if (!report) return fail(report.error());
    context.ui.print(fmt::format("read {} runs, {} candidates, {} claims, {} verdicts{}\n", report->runs,
                                 report->candidates, report->claims, report->verdicts,
                                 what == "rebuild" ? " again" : ""));
    if (!report->refused.empty()) context.ui.note(fmt::format("{} refused: cultivar fsck", report->refused.size()));
    return kYes;
}

}  // namespace

Action declare_archive(Parser& parser) {
    auto options = std::make_shared<ArchiveOptions>();
    parser.option("--keep", options->keep, "N", "candidate branches that stay, the newest (default 2000)");
    parser.flag("--dry-run", options->dry_run, "only say what would be archived");
    parser.example("cultivar archive --dry-run", "what there is to fold");
    return [options](Context& context) { return run_archive(context, *options); };
}

Action declare_gc(Parser& parser) {
    auto options = std::make_shared<GcOptions>();
    parser.option("--keep", options->keep, "N", "accepted artifacts of each category that stay, the best (default 10)");
    parser.flag("--remote", options->remote, "on the remote too");
    parser.flag("--dry-run", options->dry_run, "only say what would be dropped");
    parser.example("cultivar gc --remote", "after a round of verdicts");
    return [options](Context& context) { return run_gc(context, *options); };
}

Action declare_fsck(Parser& parser) {
    parser.example("cultivar fsck && echo whole", "nothing in this clone is broken");
    return [](Context& context) { return run_fsck(context); };
}

Action declare_index(Parser& parser) {
    auto what = std::make_shared<std::string>();
    parser.positional("ACTION", *what, "refresh: read what is new; rebuild: read everything again");
    parser.example("cultivar index rebuild", "after a doubt");
    return [what](Context& context) { return run_index(context, *what); };
}

}  // namespace cultivar
