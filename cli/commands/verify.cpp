#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/format/terminal_observer.h"
#include "cli/runs/trainer_worker.h"
#include "cli/verify/audit_round.h"
#include "pool/clone/agreed_terms.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

constexpr double kLockPatience_s = 0.5;  // somebody may be looking whether it is held

struct VerifyArguments {
    std::vector<std::string> ids;
    std::optional<std::string> tier;
    bool pending = false, beyond_share = false, dry_run = false;
};

Json verdict_json(const Verdict& verdict) { return Json::parse(to_line(verdict)); }

// The figures of a pool's own metric are scores.
std::string check_text(const ScoreText& score, const Check& check) {
    const auto figure = [&](double value) {
        return score.any_metric() ? score.of(value) : fmt::format("{:.6g}", value);
    };
    std::string text = fmt::format("    {:<14}", check.name);
    if (check.measured) text += " " + figure(*check.measured);
    if (check.low && check.high) {
        const std::string interval = score.any_metric() ? score.interval(*check.low, *check.high)
                                                        : fmt::format("{:.6f} to {:.6f}", *check.low, *check.high);
        text += fmt::format(" (95 % interval {})", interval);
    }
    if (check.claimed) text += " against " + figure(*check.claimed);
    if (check.tolerance) text += fmt::format(", {:.2g} allowed", *check.tolerance);
    text += fmt::format(", on {}", check.count);
    if (check.seconds) text += fmt::format(", {:.1f} s", *check.seconds);
    return text + "\n";
}

std::string verdict_text(const Ui& ui, const ScoreText& score, const Verdict& verdict) {
    const bool sure = verdict.certainty == Certainty::accepted;
    Paint paint = verdict.result == VerdictResult::accepted   ? (sure ? Paint::good : Paint::none)
                  : verdict.result == VerdictResult::rejected ? Paint::bad
                                                              : Paint::none;
    std::string text = fmt::format("{}  {}  {:<9}  {}  {} ({:.1f} s, {:.1f} % of the claim's cost)\n",
                                   ui.paint(paint, fmt::format("{:<12}", word(verdict))), short_id(verdict.candidate),
                                   name(verdict.tier), score.of(verdict.claimed_bpb), clean(verdict.reason),
                                   verdict.seconds, 100 * verdict.ratio);
    text += fmt::format("    {}\n", verdict.chosen);
    for (const Check& check : verdict.checks) text += check_text(score, check);
    if (verdict.record && sure) text += fmt::format("    {}\n", record_text(*verdict.record));
    return text;
}

std::string case_text(const ScoreText& score, const char* word, const QueuedClaim& one) {
    return fmt::format("{:<12}  {}  {:<9}  {}  {} (about {:.1f} s)\n", word, short_id(one.row.claim.candidate),
                       name(one.plan.audit.tier), score.of(one.row.claim.val_bpb), one.plan.why, one.all_s());
}

Json case_json(const QueuedClaim& one) {
    return {{"candidate", one.row.claim.candidate}, {"claim", one.row.id}, {"val_bpb", one.row.claim.val_bpb},
            {"tier", name(one.plan.audit.tier)},    {"why", one.plan.why}, {"expected_seconds", one.all_s()}};
}

ShareUse share_use(const VerifyArguments& options) {
    if (options.beyond_share) return ShareUse::all_beyond;
    return options.ids.empty() ? ShareUse::keep : ShareUse::claims_beyond;
}

Result<AuditRound> judge_all(Context& context, Session& session, const RoundOptions& options, ClaimQueue queue,
                             const VerificationBudget& share) {
    const SystemClock clock;
    TrainerWorker worker(session, clock);
    TerminalObserver observer(context);
    const auto open_remote = [&] {
        return open_transport(session.clone->repo.git_dir(), [&context] { return context.interrupted(); });
    };
    const ScoreText score(session.clone->task);
    RoundListener listener;
    listener.begins = [&](const QueuedClaim& one) {
        context.ui.progress(fmt::format("verifying {}, {}", short_id(one.row.claim.candidate), one.plan.why));
    };
    listener.judged = [&](const Verdict& verdict) {
        if (!context.ui.json()) context.ui.print(verdict_text(context.ui, score, verdict));
    };
    return audit_round({observer, worker, clock, open_remote}, session, std::move(queue), share, options, listener);
}

void tell_round(Ui& ui, const ScoreText& score, const VerifyArguments& options, const AuditRound& round,
                const VerificationBudget& share) {
    for (const QueuedClaim& one : round.judgeable) ui.print(case_text(score, "to judge", one));
    for (const QueuedClaim& one : round.waiting) ui.print(case_text(score, "waiting", one));
    if (round.verdicts.empty() && round.judgeable.empty() && round.waiting.empty())
        return ui.note("no claim is waiting");
    if (!round.verdicts.empty()) ui.note("'cultivar propose' shares these verdicts");
    if (round.waiting.empty() || options.dry_run) return;
    ui.note(
        fmt::format("{} wait{} until more was searched: verification may take {:.1f} s, {:.1f} % of the search, and "
                    "has taken {:.1f} s",
                    round.waiting.size(), round.waiting.size() == 1 ? "s" : "", share.allowed_s(), 100 * share.share,
                    share.spent_s + round.spent_s));
    const auto dear =
        std::count_if(round.waiting.begin(), round.waiting.end(), [](const auto& one) { return one.too_dear; });
    if (dear > 0)
        ui.note(fmt::format("{} of these would cost more than half of all that: passed over until it has grown", dear));
    ui.note(fmt::format("'cultivar verify {}' judges one all the same, 'cultivar verify --beyond-share' all",
                        short_id(round.waiting.front().row.claim.candidate)));
}

Json round_json(const AuditRound& round, const VerificationBudget& share) {
    Json verdicts = Json::array(), judgeable = Json::array(), waiting = Json::array();
    for (const Verdict& verdict : round.verdicts) verdicts.push_back(verdict_json(verdict));
    for (const QueuedClaim& one : round.judgeable) judgeable.push_back(case_json(one));
    for (const QueuedClaim& one : round.waiting) {
        waiting.push_back(case_json(one));
        waiting.back()["too_dear"] = one.too_dear;
    }
    return {
        {"schema", 1},
        {"verdicts", verdicts},
        {"to_judge", judgeable},
        {"waiting", waiting},
        {"seconds",
         {{"spent", share.spent_s + (round.judgeable.empty() ? round.spent_s : 0)}, {"allowed", share.allowed_s()}}}};
}

Result<std::optional<Tier>> tier_asked(const VerifyArguments& options) {
    using Asked = std::optional<Tier>;
    if (!options.tier) return Asked();
    const Asked tier = tier_of(*options.tier);
    if (!tier)
        return fail(Code::usage, fmt::format("--tier = '{}': takes structure, rescore, replay, rerun", *options.tier),
                    "cultivar verify --help");
    if (options.ids.empty())
        return fail(Code::usage, "--tier is of a claim that is named",
                    "cultivar verify --tier " + *options.tier + " ID");
    return tier;
}

Result<int> verify(Context& context, const VerifyArguments& options) {
    if (options.pending && !options.ids.empty())
        return fail(Code::usage, "--pending and ids exclude each other", "cultivar verify --help");
    TRY_ASSIGN(const std::optional<Tier> tier, tier_asked(options));
    TRY_ASSIGN(Session session, open_session(context));
    TRY(check_terms(*session.clone));
    tell_clock(context.ui, session.clone->task, std::time(nullptr));
    std::string holder = fmt::format("pid {}, cultivar verify, since {}", ::getpid(), utc_text(std::time(nullptr)));
    TRY_ASSIGN(FileLock lock, FileLock::acquire(session.clone->state_dir + "verify.lock", holder, kLockPatience_s));
    const ShouldStop stop = [&context] { return context.interrupted(); };
    TRY_ASSIGN(ClaimQueue queue, options.ids.empty() ? waiting_claims(session, std::time(nullptr), stop)
                                                     : claims_named(session, options.ids, stop));
    if (queue.own > 0)
        context.ui.note(
            fmt::format("{} claim{} of your own left to another verifier: a clone with a key of its own, whose line "
                        "stands in allowed_signers on main",
                        queue.own, queue.own == 1 ? "" : "s"));
    if (queue.repeats > 0)
        context.ui.note(fmt::format("{} claim{} left out: their runs were claimed before", queue.repeats,
                                    queue.repeats == 1 ? "" : "s"));
    TRY_ASSIGN(const Totals totals, session.index->totals());
    const VerificationBudget share = allowance(session.clone->task, totals);
    const RoundOptions how{share_use(options), tier, options.dry_run};
    TRY_ASSIGN(const AuditRound round, judge_all(context, session, how, std::move(queue), share));
    if (context.ui.json())
        context.ui.print(pretty(round_json(round, share)));
    else
        tell_round(context.ui, ScoreText(session.clone->task), options, round, share);
    const bool all_accepted = std::all_of(round.verdicts.begin(), round.verdicts.end(), [](const Verdict& verdict) {
        return verdict.result == VerdictResult::accepted;
    });
    return all_accepted ? kYes : kNo;
}

}  // namespace

Action declare_verify(Parser& parser) {
    auto options = std::make_shared<VerifyArguments>();
    parser.positionals("ID", options->ids,
                       "judge the claims of these candidates, again if need be (default: all that wait)");
    parser.flag("--pending", options->pending, "every claim that waits, as far as the share allows (the default)");
    parser.flag("--beyond-share", options->beyond_share, "every claim that waits, beyond the pool's verify.share");
    parser.option("--tier", options->tier, "NAME", "how far to judge ID: structure, rescore, replay, rerun");
    parser.flag("--dry-run", options->dry_run, "only show the claims, how far each would be judged and why");
    parser.example("cultivar pull && cultivar verify && cultivar propose", "a verifier's round");
    parser.example("cultivar verify --tier rerun 1a2b3c4d", "train it again with a fresh seed");
    return [options](Context& context) { return verify(context, *options); };
}

}  // namespace cultivar
