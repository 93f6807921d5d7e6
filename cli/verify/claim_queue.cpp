#include "cli/verify/claim_queue.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <set>

#include <fmt/format.h>

#include "cli/runs/machine_category.h"
#include "cli/verify/claim_order.h"
#include "cli/verify/gap_review.h"
#include "cli/verify/surroundings.h"
#include "eval/judge/rescore_test.h"
#include "eval/judge/structure_check.h"
#include "pool/types/category.h"

namespace cultivar {
namespace {

constexpr int kMostJudged = 1000;  // open claims of a key that are looked at again
constexpr int kMostUnsound = 100;  // claims of a writer that are told so in one round

bool is_accepted(const ClaimRow& row) { return row.verdict && row.verdict->result == VerdictResult::accepted; }

// Spared by the lot when it was accepted.
bool was_light(const ClaimRow& row) {
    return is_accepted(row) && row.verdict->tier == Tier::rescore &&
           !(row.verdict->plan && row.verdict->plan->extent == AuditExtent::in_full);
}

bool was_only_scored(const ClaimRow& row) { return is_accepted(row) && row.verdict->certainty == Certainty::scored; }

// Put off when it was accepted; or its candidate leads or is much used now, and was not trained again since, or not often
// enough for a record. Of a claim that was only scored, or that the lot spared, a replay is due before.
// A command's run cannot be replayed.
bool is_owed_a_rerun(const Task& task, const ClaimRow& row, const ClaimImpact& impact, int fresh_seeds) {
    if (!is_accepted(row) || (was_only_scored(row) && !task.command)) return false;
    const Verdict& verdict = *row.verdict;
    if (owes_rerun(verdict)) return true;
    const bool matters = impact.best || impact.children >= kMuchUsed;
    if (!matters || (was_light(row) && !task.command)) return false;
    return verdict.tier != Tier::rerun || (impact.best && fresh_seeds < task.record_seeds());
}

bool is_owed_its_gap(const Task& task, const Surroundings& around, const ClaimRow& row) {
    return around.hold_out && task.takes_hold_out() && is_accepted(row) && !has_gap(*row.verdict);
}

// Was a rerun tried that failed?
bool rerun_failed(const Verdict& verdict) { return owes_rerun(verdict) && verdict.plan->tier == Tier::rerun; }

// When this clone may judge a claim again that it could not decide.
class Waits {
public:
    static Result<Waits> of(Session& session, std::int64_t now_s) {
        Waits waits;
        waits.now_s_ = now_s;
        TRY_ASSIGN(waits.attempts_, session.index->own_attempts());
        return waits;
    }
    bool over(const ClaimRow& row) const {
        const bool tried =
            row.verdict && (row.verdict->result == VerdictResult::inconclusive || rerun_failed(*row.verdict));
        const auto found = attempts_.find(row.id);
        if (!tried || found == attempts_.end()) return true;
        const auto last_s = parse_utc(found->second.last_at);
        return due_again(found->second.count, last_s ? *last_s : 0, now_s_);
    }
    int tries(const ClaimRow& row) const {
        const auto found = attempts_.find(row.id);
        return found == attempts_.end() ? 0 : found->second.count;
    }

private:
    std::map<std::string, Attempts> attempts_;
    std::int64_t now_s_ = 0;
};

// The reason why it fails the structure tier; "": it does not, as far as its records tell.
std::string why_unsound(const Task& task, const QueuedClaim& one) {
    if (!one.row.problem.empty()) return one.row.problem;
    if (one.artifact_run() == nullptr) return "it names a run that is not in the journal";
    for (const RunRow& row : one.runs) {
        auto sound = task.command ? Result<void>() : check_structure(task.space, row.run);
        if (sound) sound = check_budget(row.run, task.budget_s);
        if (!sound) return fmt::format("its run {}: {}", short_id(row.id), sound.error().message);
    }
    return "";
}

// The state of the pool and of this clone that a queue is made from.
struct Situation {
    Surroundings around;
    Waits waits;
    const ShouldStop& stop;

    static Result<Situation> of(Session& session, std::int64_t now_s, const ShouldStop& stop) {
        TRY_ASSIGN(Surroundings around, snapshot(session));
        TRY_ASSIGN(Waits waits, Waits::of(session, now_s));
        return Situation{std::move(around), std::move(waits), stop};
    }
    Result<void> go_on() const {
        return stop && stop() ? fail(Code::interrupted, "interrupted; nothing was judged") : Result<void>();
    }
};

Result<QueuedClaim> queued(Session& session, const Situation& now, const ClaimQueue& queue, ClaimRow row) {
    const Surroundings& around = now.around;
    QueuedClaim one;
    one.tries = now.waits.tries(row);
    TRY_ASSIGN(one.runs, session.index->claimed_runs(row.id));
    for (const RunRow& made : one.runs) one.claim_s += made.run.wall_s;
    one.row = std::move(row);
    one.unsound = why_unsound(session.clone->task, one);
    one.impact = impact_of(around, one.row.claim);
    one.fresh_seeds = fresh_seeds_of(around, one.row.claim);
    one.owes_gap = is_owed_its_gap(session.clone->task, around, one.row);
    one.owed = is_owed_a_rerun(session.clone->task, one.row, one.impact, one.fresh_seeds) ||
               (one.owes_gap && one.row.verdict->tier == Tier::rerun);  // its fresh seeds count again
    if (one.unsound.empty()) {
        TRY_ASSIGN(const std::vector<std::string> odd, session.index->suspicions(one.row));
        one.impact.odd = !odd.empty();
    }
    settle_plan(session.clone->task, queue, one);
    return one;
}

// Accounts of all keys that had a claim judged, and this clone's own measurements.
Result<ClaimQueue> empty_queue(Session& session, const Surroundings& around) {
    ClaimQueue queue;
    queue.hold_out = around.hold_out;
    TRY_ASSIGN(queue.costs, CostBook::of(session));
    TRY_ASSIGN(const std::vector<JudgedClaim> judged, session.index->judged_claims());
    for (const JudgedClaim& one : judged) {
        const auto at_s = parse_utc(one.at);
        KeyAccount& account = queue.accounts[one.key];
        account.work.push_back({one.result, at_s ? *at_s : 0, one.budget_s, one.fresh});
        account.spent_s += one.seconds;
        queue.now_s = std::max(queue.now_s, account.work.back().at_s);
    }
    for (const auto& [key, account] : queue.accounts) {
        if (standing_of(account.work) != KeyStanding::proven) queue.unproven_s += account.spent_s;
    }
    return queue;
}

Result<ClaimQueue> queue_of(Session& session, const Situation& now, std::vector<ClaimRow> rows) {
    TRY_ASSIGN(ClaimQueue queue, empty_queue(session, now.around));
    std::map<std::string, int> unsound;  // by writer
    for (ClaimRow& row : rows) {
        TRY(now.go_on());
        if (row.key == session.clone->key.fingerprint() || row.claim.writer == session.clone->writer) {
            ++queue.own;
            continue;
        }
        if (row.repeats) {
            ++queue.repeats;
            continue;
        }
        TRY_ASSIGN(QueuedClaim one, queued(session, now, queue, std::move(row)));
        if (!one.unsound.empty() && ++unsound[one.row.claim.writer] > kMostUnsound) continue;
        queue.claims.push_back(std::move(one));
    }
    order_claims(queue);
    return queue;
}

// Accepted, but now the best of its category or a much-used parent, and not judged as far as such a one is.
Result<void> add_grown_claims(Session& session, const Situation& now, std::vector<ClaimRow>& rows,
                              std::vector<ClaimRow>& grown) {
    std::set<std::string> weighty, known;
    for (const auto& [category, candidate] : now.around.leader) weighty.insert(candidate);
    for (const auto& [candidate, count] : now.around.children) {
        if (count >= kMuchUsed) weighty.insert(candidate);
    }
    for (const ClaimRow& row : rows) known.insert(row.id);
    for (const std::string& candidate : weighty) {
        TRY(now.go_on());
        TRY_ASSIGN(std::vector<ClaimRow> claims, session.index->accepted_claims(candidate));
        for (ClaimRow& row : claims) {
            ClaimImpact impact = impact_of(now.around, row.claim);
            impact.best = leads(now.around, row.claim);
            const bool light = was_light(row) && (impact.best || impact.children >= kMuchUsed);
            const int fresh = fresh_seeds_of(now.around, row.claim);
            const bool due = light || is_owed_a_rerun(session.clone->task, row, impact, fresh);
            if (!due || row.key == session.clone->key.fingerprint() || !now.waits.over(row)) continue;
            if (row.verdict->tier != Tier::rerun && row.verdict->certainty == Certainty::accepted) grown.push_back(row);
            if (known.insert(row.id).second) rows.push_back(std::move(row));
        }
    }
    return {};
}

// Judged before, but to nothing or with a rerun put off.
Result<void> add_open_claims(Session& session, const Situation& now, std::vector<ClaimRow>& rows) {
    TRY_ASSIGN(std::vector<ClaimRow> open, session.index->open_claims(kMostJudged));
    for (ClaimRow& row : open) {
        if ((was_only_scored(row) && !session.clone->task.command) || row.key == session.clone->key.fingerprint())
            continue;  // add_scored_claims()
        if (now.waits.over(row)) rows.push_back(std::move(row));
    }
    return {};
}

// No verifier can replay a run without a whole trace; trying again changes nothing.
bool cannot_be_settled(const Task& task, const QueuedClaim& one) {
    return !task.command && one.row.verdict && one.row.verdict->result == VerdictResult::inconclusive &&
           one.unsound.empty() &&
           std::any_of(one.runs.begin(), one.runs.end(), [](const RunRow& row) { return !is_replayable(row.run); });
}

// Nothing is due that this machine could do.
bool only_a_rerun_is_left(const Session& session, const QueuedClaim& one) {
    const Tier rest = session.clone->task.command ? Tier::rescore : Tier::replay;
    return !one.owes_gap && one.row.verdict->tier >= rest && seeds_due(session.clone->task, one) > 0 &&
           !can_rerun(session, one);
}

// Claims of this machine's kind of device that verifiers of others could only score. Nothing more can be done with a
// command's before its candidate matters.
Result<void> add_scored_claims(Session& session, const Situation& now, std::vector<ClaimRow>& rows) {
    if (session.clone->task.command) return {};
    std::set<std::string> known;
    for (const ClaimRow& row : rows) known.insert(row.id);
    TRY_ASSIGN(std::vector<ClaimRow> scored, session.index->scored_claims(kMostJudged));
    for (ClaimRow& row : scored) {
        const bool elsewhere = is_of_another_device(category_named(row.claim.category), session.settings.device.value);
        if (!elsewhere && !known.contains(row.id) && now.waits.over(row)) rows.push_back(std::move(row));
    }
    return {};
}

// Verifiers without a hold-out judged them, or this one before it had one.
Result<void> add_claims_without_gap(Session& session, const Situation& now, std::vector<ClaimRow>& rows) {
    if (!now.around.hold_out || !session.clone->task.takes_hold_out()) return {};
    std::set<std::string> known;
    for (const ClaimRow& row : rows) known.insert(row.id);
    TRY_ASSIGN(std::vector<ClaimRow> open, session.index->claims_without_gap(kMostJudged));
    for (ClaimRow& row : open) {
        if (!known.contains(row.id) && now.waits.over(row)) rows.push_back(std::move(row));
    }
    return {};
}

}  // namespace

double QueuedClaim::budget_s() const {
    double most_s = 0;
    for (const RunRow& made : runs) most_s = std::max(most_s, made.run.budget_s);
    return most_s;
}

double QueuedClaim::all_s() const { return expected_s + (plan.audit.tier == Tier::rerun ? rerun_s : 0); }

const Run* QueuedClaim::artifact_run() const {
    const auto found =
        std::find_if(runs.begin(), runs.end(), [&](const RunRow& one) { return one.id == row.claim.artifact_run; });
    return found == runs.end() ? nullptr : &found->run;
}

Result<ClaimQueue> waiting_claims(Session& session, std::int64_t now_s, const ShouldStop& stop) {
    TRY_ASSIGN(const Situation now, Situation::of(session, now_s, stop));
    TRY_ASSIGN(std::vector<ClaimRow> rows, session.index->pending_claims(kMostConsidered));
    std::vector<ClaimRow> grown;
    TRY(now.go_on());
    TRY(add_open_claims(session, now, rows));
    TRY(now.go_on());
    TRY(add_scored_claims(session, now, rows));
    TRY(add_claims_without_gap(session, now, rows));
    TRY(add_grown_claims(session, now, rows, grown));
    TRY_ASSIGN(ClaimQueue queue, queue_of(session, now, std::move(rows)));
    queue.grown = std::move(grown);
    std::erase_if(queue.claims, [&](const QueuedClaim& one) {
        return cannot_be_settled(session.clone->task, one) || (one.owed && only_a_rerun_is_left(session, one));
    });
    return queue;
}

Result<ClaimQueue> claims_named(Session& session, const std::vector<std::string>& prefixes, const ShouldStop& stop) {
    TRY_ASSIGN(const Situation now, Situation::of(session, std::time(nullptr), stop));
    std::vector<ClaimRow> rows;
    for (const std::string& prefix : prefixes) {
        TRY_ASSIGN(std::string id, session.index->resolve_candidate(prefix));
        TRY_ASSIGN(std::vector<ClaimRow> found, session.index->claims(id));
        if (found.empty())
            return fail(Code::not_found, fmt::format("nobody claims '{}'", prefix), "cultivar propose " + prefix);
        rows.insert(rows.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    }
    return queue_of(session, now, std::move(rows));
}

// A claim that owes a rerun is here for that; else the lot decides among others.
void settle_plan(const Task& task, const ClaimQueue& queue, QueuedClaim& one) {
    const auto account = queue.accounts.find(one.row.key);
    one.track_record = {!one.row.key.empty(), 0};
    one.standing = KeyStanding::unknown;
    if (account != queue.accounts.end() && !one.row.key.empty()) {
        one.track_record = track_record_of(account->second.work, one.budget_s(), queue.now_s);
        one.standing = standing_of(account->second.work);
    }
    one.plan = plan_for(one.impact, one.track_record, draw_lot());
    if (task.command) one.plan = plan_for_command(one.plan, task.command->evaluator.has_value());
    if (one.owed) one.plan = {{Tier::rerun, AuditExtent::in_full}, "in full: it owes a rerun"};
    if (!one.unsound.empty())
        one.plan = {{Tier::structure, AuditExtent::sample}, "will be refused by the structure tier: " + one.unsound};
    queue.costs.estimate(task, queue.hold_out, one);
}

void apply_verdict(const Task& task, const QueuedClaim& judged, const Verdict& verdict, ClaimQueue& rest) {
    const bool good = verdict.result == VerdictResult::accepted, bad = verdict.result == VerdictResult::rejected;
    KeyAccount& account = rest.accounts[judged.row.key];
    account.work.push_back({verdict.result, rest.now_s, judged.budget_s(), good});
    account.spent_s += verdict.seconds;
    for (QueuedClaim& one : rest.claims) {
        const bool same_key = one.row.key == judged.row.key;
        const bool beaten = good && one.impact.best && one.row.claim.category == judged.row.claim.category &&
                            one.row.claim.candidate != judged.row.claim.candidate &&
                            one.row.claim.val_bpb >= judged.row.claim.val_bpb;
        const bool trained = one.row.claim.candidate == judged.row.claim.candidate &&
                             one.row.claim.category == judged.row.claim.category;
        if (beaten) one.impact.best = false;
        if (trained) one.fresh_seeds = std::max(one.fresh_seeds, static_cast<int>(verdict.reruns.size()));
        if (beaten || (same_key && (good || bad))) settle_plan(task, rest, one);
        if (trained) rest.costs.estimate(task, rest.hold_out, one);
    }
    order_claims(rest);
}

int seeds_due(const Task& task, const QueuedClaim& one) {
    constexpr int kFewestReplicates = 2;  // of a metric with a noise that nobody knows yet
    const int least = task.command ? kFewestReplicates : 1;
    const int wanted = task.noiseless ? 1 : std::max(least, one.impact.best ? task.record_min_seeds : 1);
    return std::max({0, one.least_seeds, wanted - one.fresh_seeds});
}

bool can_rerun(const Session& session, const QueuedClaim& one) {
    const Run* run = one.artifact_run();
    return run != nullptr && is_category_here(session, one.row.claim.category, run->budget_s);
}

VerificationBudget allowance(const Task& task, const Totals& totals) {
    return {totals.paying_s, totals.verify_s, task.verify_share, kFirstBudgets * task.budget_s};
}

}  // namespace cultivar
