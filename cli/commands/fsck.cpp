// fsck: checks every hash, parent, record and signature.
#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/session/sandboxed_reader.h"
#include "pool/integrity/fsck.h"

namespace cultivar {
namespace {

struct FsckArguments {
    bool pool = false;
};

// A clone that cannot even be opened, because an object of main is damaged.
Result<FsckReport> objects_alone(const Context& context, const Error& why) {
    TRY_ASSIGN(Repo repo, Repo::discover(context.folder));
    TRY(repo.check_owner());
    TRY(enter_reading_sandbox(repo));
    FsckReport report;
    TRY_ASSIGN(report.problems, damaged_objects(repo));
    if (report.problems.empty()) return fail(why);
    report.of_the_pool = report.problems.size();
    report.problems.insert(report.problems.begin(), {"this clone", "cannot be opened: " + why.message});
    return report;
}

Result<FsckReport> checked(Context& context) {
    auto clone = open_clone(context);
    const bool damaged = !clone && (clone.error().code == Code::git || clone.error().code == Code::corrupt);
    if (damaged) return objects_alone(context, clone.error());
    if (!clone) return fail(clone.error());
    TRY(enter_reading_sandbox(*clone));
    return fsck(*clone);
}

Result<int> run_fsck(Context& context, const FsckArguments& options) {
    TRY_ASSIGN(FsckReport report, checked(context));
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
                                     {"of_other_tasks", report.other_task},
                                     {"more_problems", report.more_refused},
                                     {"of_the_pool", report.of_the_pool},
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
        if (report.more_refused > 0) context.ui.print(fmt::format("and {} more\n", report.more_refused));
        if (report.other_task > 0)
            context.ui.print(fmt::format("{} of an earlier task of this pool: they do not count\n",
                                         counted(report.other_task, "run")));
        for (const Refusal& one : report.odd)
            context.ui.print(fmt::format("odd: {}: {}\n", clean(one.where), clean(one.reason)));
    }
    return (options.pool ? report.of_the_pool == 0 : report.problems.empty()) ? kYes : kNo;
}

}  // namespace

Action declare_fsck(Parser& parser) {
    auto options = std::make_shared<FsckArguments>();
    parser.flag("--pool", options->pool,
                "exit with 1 for damage to the pool itself alone, not for what contributors sent");
    parser.example("cultivar fsck && echo whole", "nothing in this clone is broken");
    return [options](Context& context) { return run_fsck(context, *options); };
}

}  // namespace cultivar
