// gc: drops artifacts that are no longer needed.
#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/session/session.h"
#include "pool/storage/artifact_commit.h"
#include "pool/sync/pull.h"

namespace cultivar {
namespace {

struct GcOptions {
    std::optional<std::int64_t> keep;
    bool remote = false, dry_run = false;
};

// Local artifacts that no claim or later judgement needs.
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
    std::vector<PushItem> items;
    TRY(transport.each_ref(kRemote, [&](std::string_view name, std::string_view) {
        const auto digest = artifact_of_ref(std::string(name));
        if (digest && judged.count(*digest)) items.push_back({"", std::string(name)});
    }));
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
    auto transport = open_transport(session.clone->repo.git_dir(), [&] { return context.interrupted(); });
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

}  // namespace

Action declare_gc(Parser& parser) {
    auto options = std::make_shared<GcOptions>();
    parser.option("--keep", options->keep, "N", "accepted artifacts of each category that stay, the best (default 10)");
    parser.flag("--remote", options->remote, "on the remote too");
    parser.flag("--dry-run", options->dry_run, "only show the artifacts");
    parser.example("cultivar gc --remote", "after a round of verdicts");
    return [options](Context& context) { return run_gc(context, *options); };
}

}  // namespace cultivar
