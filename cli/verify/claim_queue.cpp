#include "cli/verify/claim_queue.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <set>

#include <fmt/format.h>

#include "cli/runs/machine_category.h"
#include "cli/verify/claim_order.h"
#include "cli/verify/surroundings.h"
#include "eval/judge/rescore_test.h"
#include "eval/judge/structure_check.h"
#include "pool/types/category.h"

namespace cultivar {
namespace {

constexpr int kMostUnsound = 100;  // claims of a writer that are told so in one round

bool is_accepted(const ClaimRow& row) { return row.verdict && row.verdict->result == VerdictResult::accepted; }

// Spared by the lot when it was accepted.
bool was_light(const ClaimRow& row) {
    return is_accepted(row) && row.verdict->tier == Tier::rescore &&
           !(row.verdict->plan && row.verdict->plan->extent == AuditExtent::in_full);
}

// Put off when it was accepted; or it leads now, and its fresh seeds are too few for a record.
bool is_owed_a_rerun(const Task& task, const ClaimRow& row, bool best) {
    if (!is_accepted(row) || row.verdict->certainty == Certainty::scored) return false;  // a replay is due before
    const Verdict& verdict = *row.verdict;
    const bool few = verdict.reruns.size() < static_cast<std::size_t>(task.record_min_seeds);
    const bool waits = verdict.plan && verdict.plan->rerun_waits;
    return waits || (best && few && verdict.tier == Tier::rerun);
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
    if (one.owed) one.plan.audit = {Tier::rerun, AuditExtent::in_full}, one.plan.why = "in full: it owes a rerun";
    queue.costs.estimate(task, queue.hold_out, one);
}

// The reason why it fails the structure tier; "": it does not, as far as its records tell.
std::string why_unsound(const Task& task, const QueuedClaim& one) {
    if (!one.row.problem.empty()) return one.row.problem;
    if (one.artifact_run() == nullptr) return "it names a run that is not in the journal";
    for (const RunRow& row : one.runs) {
        auto sound = check_structure(task.space, row.run);
        if (sound) sound = check_budget(row.run, task.budget_s);
        if (!sound) return fmt::format("its run {}: {}", short_id(row.id), sound.error().message);
    }
    return "";
}

Result<QueuedClaim> queued(Session& session, const Surroundings& around, const ClaimQueue& queue, ClaimRow row) {
    QueuedClaim one;
    TRY_ASSIGN(std::vector<RunRow> runs, session.index->runs(row.claim.candidate));
    for (RunRow& run : runs) {
        const auto& named = row.claim.runs;
        if (std::find(named.begin(), named.end(), run.id) == named.end()) continue;
        one.claim_s += run.run.wall_s;
        one.runs.push_back(std::move(run));
    }
    one.row = std::move(row);
    one.unsound = why_unsound(session.clone->task, one);
    one.impact = impact_of(around, one.row.claim);
    one.owed = is_owed_a_rerun(session.clone->task, one.row, one.impact.best);
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

Result<ClaimQueue> queue_of(Session& session, const Surroundings& around, std::vector<ClaimRow> rows) {
    TRY_ASSIGN(ClaimQueue queue, empty_queue(session, around));
    std::map<std::string, int> unsound;  // by writer
    for (ClaimRow& row : rows) {
        if (row.key == session.clone->key.fingerprint() || row.claim.writer == session.clone->writer) {
            ++queue.own;
            continue;
        }
        if (row.repeats) {
            ++queue.repeats;
            continue;
        }
        TRY_ASSIGN(QueuedClaim one, queued(session, around, queue, std::move(row)));
        if (!one.unsound.empty() && ++unsound[one.row.claim.writer] > kMostUnsound) continue;
        queue.claims.push_back(std::move(one));
    }
    order_claims(queue);
    return queue;
}

// Accepted, but now the best of its category or a much-used parent, and not judged as far as such a one is.
Result<void> add_grown_claims(Session& session, const Surroundings& around, std::vector<ClaimRow>& rows) {
    std::set<std::string> weighty, known;
    for (const auto& [category, candidate] : around.leader) weighty.insert(candidate);
    for (const auto& [candidate, count] : around.children) {
        if (count >= kMuchUsed) weighty.insert(candidate);
    }
    for (const ClaimRow& row : rows) known.insert(row.id);
    for (const std::string& candidate : weighty) {
        TRY_ASSIGN(std::vector<ClaimRow> claims, session.index->claims(candidate));
        for (ClaimRow& row : claims) {
            if (row.key == session.clone->key.fingerprint()) continue;
            const bool owed = is_owed_a_rerun(session.clone->task, row, leads(around, row.claim));
            if ((owed || was_light(row)) && known.insert(row.id).second) rows.push_back(std::move(row));
        }
    }
    return {};
}

// Judged before, but to nothing or with a rerun put off. A claim that decided nothing is tried again after a while that
// doubles with each own verdict on it.
Result<void> add_open_claims(Session& session, std::int64_t now_s, std::vector<ClaimRow>& rows) {
    TRY_ASSIGN(std::vector<ClaimRow> open, session.index->open_claims());
    TRY_ASSIGN(const auto attempts, session.index->own_attempts());
    for (ClaimRow& row : open) {
        const bool scored = is_accepted(row) && row.verdict->certainty == Certainty::scored;  // add_scored_claims()
        if (scored || row.key == session.clone->key.fingerprint()) continue;
        const auto found = attempts.find(row.id);
        const bool tried = row.verdict->result == VerdictResult::inconclusive && found != attempts.end();
        const auto last_s = tried ? parse_utc(found->second.last_at) : Result<std::int64_t>(0);
        if (tried && !due_again(found->second.count, last_s ? *last_s : 0, now_s)) continue;
        rows.push_back(std::move(row));
    }
    return {};
}

// No verifier can replay a run without a whole trace; trying again changes nothing.
bool cannot_be_settled(const QueuedClaim& one) {
    return one.row.verdict && one.row.verdict->result == VerdictResult::inconclusive && one.unsound.empty() &&
           std::any_of(one.runs.begin(), one.runs.end(), [](const RunRow& row) { return !is_replayable(row.run); });
}

// Claims of this machine's kind of device that verifiers of others could only score.
Result<void> add_scored_claims(Session& session, std::vector<ClaimRow>& rows) {
    TRY_ASSIGN(std::vector<ClaimRow> scored, session.index->scored_claims());
    for (ClaimRow& row : scored) {
        const bool known = std::ranges::any_of(rows, [&](const ClaimRow& one) { return one.id == row.id; });
        if (known || is_of_another_device(category_named(row.claim.category), session.settings.device.value)) continue;
        rows.push_back(std::move(row));
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

Result<ClaimQueue> waiting_claims(Session& session, std::int64_t now_s) {
    TRY_ASSIGN(const Surroundings around, snapshot(session));
    TRY_ASSIGN(std::vector<ClaimRow> rows, session.index->pending_claims());
    TRY(add_open_claims(session, now_s, rows));
    TRY(add_scored_claims(session, rows));
    TRY(add_grown_claims(session, around, rows));
    TRY_ASSIGN(ClaimQueue queue, queue_of(session, around, std::move(rows)));
    std::erase_if(queue.claims, [&](const QueuedClaim& one) {
        return cannot_be_settled(one) || (one.owed && !can_rerun(session, one));
    });
    return queue;
}

Result<ClaimQueue> claims_named(Session& session, const std::vector<std::string>& prefixes) {
    TRY_ASSIGN(const Surroundings around, snapshot(session));
    std::vector<ClaimRow> rows;
    for (const std::string& prefix : prefixes) {
        TRY_ASSIGN(std::string id, session.index->resolve_candidate(prefix));
        TRY_ASSIGN(std::vector<ClaimRow> found, session.index->claims(id));
        if (found.empty())
            return fail(Code::not_found, fmt::format("nobody claims '{}'", prefix), "cultivar propose " + prefix);
        rows.insert(rows.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    }
    return queue_of(session, around, std::move(rows));
}

void apply_verdict(const Session& session, const QueuedClaim& judged, const Verdict& verdict, ClaimQueue& rest) {
    const bool good = verdict.result == VerdictResult::accepted, bad = verdict.result == VerdictResult::rejected;
    KeyAccount& account = rest.accounts[judged.row.key];
    account.work.push_back({verdict.result, rest.now_s, judged.budget_s(), good});
    account.spent_s += verdict.seconds;
    for (QueuedClaim& one : rest.claims) {
        const bool same_key = one.row.key == judged.row.key;
        const bool beaten = good && one.impact.best && one.row.claim.category == judged.row.claim.category &&
                            one.row.claim.candidate != judged.row.claim.candidate &&
                            one.row.claim.val_bpb >= judged.row.claim.val_bpb;
        if (beaten) one.impact.best = false;
        if (beaten || (same_key && (good || bad))) settle_plan(session.clone->task, rest, one);
    }
    order_claims(rest);
}

int seeds_due(const Task& task, const QueuedClaim& one) {
    const auto made = one.row.verdict ? static_cast<int>(one.row.verdict->reruns.size()) : 0;
    return one.impact.best ? std::max(1, task.record_min_seeds - made) : 1;
}

bool can_rerun(const Session& session, const QueuedClaim& one) {
    const Run* run = one.artifact_run();
    return run != nullptr && known_category(session, run->budget_s) == one.row.claim.category;
}

VerificationBudget allowance(const Task& task, const Totals& totals) {
    return {totals.paying_s, totals.verify_s, task.verify_share, kFirstBudgets * task.budget_s};
}

}  // namespace cultivar
