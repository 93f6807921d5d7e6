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

}  // namespace

Action declare_fsck(Parser& parser) {
    parser.example("cultivar fsck && echo whole", "nothing in this clone is broken");
    return [](Context& context) { return run_fsck(context); };
}

}  // namespace cultivar
