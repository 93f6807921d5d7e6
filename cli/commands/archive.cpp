// archive: moves settled candidates and proposals into the archive.
#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/session/session.h"
#include "pool/sync/archive.h"
#include "pool/sync/pull.h"

namespace cultivar {
namespace {

struct ArchiveOptions {
    std::optional<std::int64_t> keep;
    bool dry_run = false;
};

Result<int> run_archive(Context& context, const ArchiveOptions& options) {
    const std::int64_t keep = options.keep.value_or(static_cast<std::int64_t>(kLiveBranches));
    if (keep < 0) return fail(Code::usage, "--keep takes a number of branches", "cultivar archive --help");
    TRY_ASSIGN(Session session, open_session(context));
    auto transport = open_transport(session.clone->repo.git_dir(), [&] { return context.interrupted(); });
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

}  // namespace

Action declare_archive(Parser& parser) {
    auto options = std::make_shared<ArchiveOptions>();
    parser.option("--keep", options->keep, "N", "keep the newest N candidate branches (default 2000)");
    parser.flag("--dry-run", options->dry_run, "only show the plan");
    parser.example("cultivar archive --dry-run", "show the candidates and journals to archive");
    return [options](Context& context) { return run_archive(context, *options); };
}

}  // namespace cultivar
