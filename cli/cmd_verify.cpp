#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "cli/json.h"
#include "cli/tell.h"
#include "cli/verifier.h"

namespace cultivar {
namespace {

constexpr double kPatience_s = 0.5;  // somebody may be looking whether it is held

struct Options {
    std::vector<std::string> ids;
    bool pending = false;
};

// Pending claims, or those of the candidates named, judged already or not. Nobody judges their own claims.
Result<std::vector<ClaimRow>> claims_to_judge(Context& context, Session& session, const Options& options) {
    std::vector<ClaimRow> rows;
    if (options.ids.empty()) {
        TRY_ASSIGN(rows, session.index->pending_claims());
    }
    for (const std::string& prefix : options.ids) {
        TRY_ASSIGN(std::string id, session.index->resolve_candidate(prefix));
        TRY_ASSIGN(std::vector<ClaimRow> found, session.index->claims(id));
        if (found.empty())
            return fail(Code::not_found, fmt::format("nobody claims '{}'", prefix), "cultivar propose " + prefix);
        rows.insert(rows.end(), found.begin(), found.end());
    }
    std::size_t own =
        std::erase_if(rows, [&](const ClaimRow& row) { return row.claim.writer == session.clone->writer; });
    if (own > 0)
        context.ui.note(fmt::format("{} claim{} of your own left to another verifier", own, own == 1 ? "" : "s"));
    return rows;
}

Json verdict_json(const Verdict& verdict) { return Json::parse(to_line(verdict)); }

std::string verdict_line(const Ui& ui, const Verdict& verdict) {
    Paint paint = verdict.result == "accepted" ? Paint::good : verdict.result == "rejected" ? Paint::bad : Paint::none;
    return fmt::format("{}  {}  {:<9}  {:.4f}  {} ({:.1f} s, {:.1f} % of the claim's cost)\n",
                       ui.paint(paint, fmt::format("{:<12}", verdict.result)), short_id(verdict.candidate),
                       verdict.tier, verdict.claimed_bpb, clean(verdict.reason), verdict.seconds, 100 * verdict.ratio);
}

Result<int> verify(Context& context, const Options& options) {
    if (options.pending && !options.ids.empty())
        return fail(Code::usage, "--pending and ids exclude each other", "cultivar verify --help");
    TRY_ASSIGN(Session session, open_session(context));
    if (session.clone->task.command)
        return fail(Code::unfit, "a pool of kind 'command' cannot be rescored yet: no claim was judged");
    tell_clock(context.ui, session.clone->task, std::time(nullptr));
    std::string holder = fmt::format("pid {}, cultivar verify, since {}", ::getpid(), utc_text(std::time(nullptr)));
    TRY_ASSIGN(FileLock lock, FileLock::acquire(session.clone->state_dir + "verify.lock", holder, kPatience_s));
    TRY_ASSIGN(std::vector<ClaimRow> rows, claims_to_judge(context, session, options));
    Json verdicts = Json::array();
    bool all_accepted = true;
    if (!rows.empty()) {
        TRY_ASSIGN(Verifier verifier, Verifier::make(context, session));
        for (const ClaimRow& row : rows) {
            context.ui.progress(fmt::format("verifying {}", short_id(row.claim.candidate)));
            TRY_ASSIGN(Verdict verdict, verifier.judge(row));
            TRY(verifier.write({verdict}));
            all_accepted = all_accepted && verdict.result == "accepted";
            verdicts.push_back(verdict_json(verdict));
            if (!context.ui.json()) context.ui.print(verdict_line(context.ui, verdict));
        }
    } else if (!context.ui.json()) {
        context.ui.note("no claim is waiting");
    }
    if (context.ui.json())
        context.ui.print(pretty(Json{{"schema", 1}, {"verdicts", verdicts}}));
    else if (!rows.empty())
        context.ui.note("'cultivar propose' shares these verdicts");
    return all_accepted ? kYes : kNo;
}

}  // namespace

Action declare_verify(Parser& parser) {
    auto options = std::make_shared<Options>();
    parser.positionals("ID", options->ids, "candidates whose claims to judge, again if need be (default: all pending)");
    parser.flag("--pending", options->pending, "every claim without a verdict (the default)");
    parser.example("cultivar pull && cultivar verify && cultivar propose", "a verifier's round");
    return [options](Context& context) { return verify(context, *options); };
}

}  // namespace cultivar
