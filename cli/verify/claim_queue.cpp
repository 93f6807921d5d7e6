#include "cli/verify/claim_queue.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <set>

#include <fmt/format.h>

#include "cli/runs/machine_category.h"
#include "cli/verify/hold_out_book.h"
#include "eval/judge/rescore_test.h"
#include "pool/types/category.h"

namespace cultivar {
namespace {

// The parts of the whole pool that a claim's worth depends on.
struct Surroundings {
    std::map<std::string, double> best;  // accepted, by category
    std::map<std::string, std::string> leader;
    std::map<std::string, int> children, valid;
    bool hold_out = false;
};

Result<Surroundings> snapshot(Session& session) {
    Surroundings around;
    TRY_ASSIGN(std::vector<Standing> standings, session.index->standings());
    for (const Standing& standing : standings) {
        // Whatever a verifier scored leads: a worse claim is not judged in full because something is still due there.
        const bool leads =
            std::ranges::any_of(std::array{Certainty::accepted, Certainty::provisional, Certainty::scored},
                                [&](Certainty one) { return standing.verdict == name(one); });
        if (!leads || standing.runs < 1) continue;
        const auto found = around.best.find(standing.category);
        if (found != around.best.end() && found->second <= standing.val_bpb) continue;
        around.best[standing.category] = standing.val_bpb;
        around.leader[standing.category] = standing.candidate;
    }
    TRY_ASSIGN(around.children, session.index->children());
    TRY_ASSIGN(around.valid, session.index->valid_in_a_row());
    TRY_ASSIGN(const HoldOut hold_out, HoldOut::open(*session.clone));
    around.hold_out = hold_out.serving(std::time(nullptr)).has_value();
    return around;
}

bool leads(const Surroundings& around, const Claim& claim) {
    const auto found = around.leader.find(claim.category);
    return found != around.leader.end() && found->second == claim.candidate;
}

ClaimImpact impact_of(const Surroundings& around, const Claim& claim) {
    ClaimImpact impact;
    const auto best = around.best.find(claim.category);
    impact.best = best == around.best.end() || leads(around, claim) || claim.val_bpb < best->second;
    impact.gain = (best != around.best.end() ? best->second : 0) - claim.val_bpb;
    if (const auto found = around.children.find(claim.candidate); found != around.children.end())
        impact.children = found->second;
    return impact;
}

TrackRecord track_record_of(const Surroundings& around, const std::string& writer) {
    const auto found = around.valid.find(writer);
    return found == around.valid.end() ? TrackRecord{} : TrackRecord{true, found->second};
}

// The run that a replay is made of, or all of them.
double replays_s(const QueuedClaim& one) {
    double all_s = 0, most_s = 0;
    for (const RunRow& row : one.runs) {
        const double run_s = replay_seconds(row.run, replay_steps(row.run));
        all_s += run_s;
        most_s = std::max(most_s, run_s);
    }
    return one.plan.audit.extent == AuditExtent::sample ? most_s : all_s;
}

double full_set_s(const Task& task, const Run& run) {
    return kStart_s + kScoreChunks * chunk_seconds(run, static_cast<double>(task.data->full_score.targets));
}

void estimate(const Task& task, bool hold_out, QueuedClaim& one) {
    const Run* run = one.artifact_run();
    if (run == nullptr || !task.data) return;
    const auto targets = static_cast<double>(task.data->slice_score.targets);
    const ScoredParts parts = hold_out ? ScoredParts::slice_and_hold_out : ScoredParts::slice;
    one.expected_s = rescore_effort(*run, one.claim_s, targets, parts, one.plan.audit.extent).expected_s;
    if (one.impact.best) one.expected_s += full_set_s(task, *run);
    if (one.plan.audit.tier >= Tier::replay) one.expected_s += replays_s(one);
    one.rerun_s = seeds_due(task, one) * (kStart_s + run->wall_s);
}

void settle_plan(const Task& task, bool hold_out, QueuedClaim& one) {
    one.plan = plan_for(one.impact, one.track_record, draw_lot());
    estimate(task, hold_out, one);
}

void order(std::vector<QueuedClaim>& claims) {
    std::stable_sort(claims.begin(), claims.end(),
                     [](const QueuedClaim& a, const QueuedClaim& b) { return more_valuable(a.impact, b.impact); });
}

Result<QueuedClaim> queued(Session& session, const Surroundings& around, ClaimRow row) {
    QueuedClaim one;
    TRY_ASSIGN(std::vector<RunRow> runs, session.index->runs(row.claim.candidate));
    for (RunRow& run : runs) {
        const auto& named = row.claim.runs;
        if (std::find(named.begin(), named.end(), run.id) == named.end()) continue;
        one.claim_s += run.run.wall_s;
        one.runs.push_back(std::move(run));
    }
    one.impact = impact_of(around, row.claim);
    one.track_record = track_record_of(around, row.claim.writer);
    TRY_ASSIGN(const std::vector<std::string> odd, session.index->suspicions(row));
    one.impact.odd = !odd.empty();
    one.row = std::move(row);
    settle_plan(session.clone->task, around.hold_out, one);
    return one;
}

Result<ClaimQueue> queue_of(Session& session, const Surroundings& around, std::vector<ClaimRow> rows) {
    ClaimQueue queue;
    for (ClaimRow& row : rows) {
        if (key_digits(row.claim.writer) == key_digits(session.clone->writer)) {
            ++queue.own;
            continue;
        }
        TRY_ASSIGN(QueuedClaim one, queued(session, around, std::move(row)));
        queue.claims.push_back(std::move(one));
    }
    queue.hold_out = around.hold_out;
    order(queue.claims);
    return queue;
}

bool is_accepted(const ClaimRow& row) { return row.verdict && row.verdict->result == VerdictResult::accepted; }

// Spared by the lot when it was accepted.
bool was_light(const ClaimRow& row) {
    return is_accepted(row) && row.verdict->tier == Tier::rescore &&
           !(row.verdict->plan && row.verdict->plan->extent == AuditExtent::in_full);
}

// Put off when it was accepted; or it leads now, and its fresh seeds are too few for a record.
bool is_owed_a_rerun(const Task& task, const ClaimRow& row, bool best) {
    if (!is_accepted(row)) return false;
    const Verdict& verdict = *row.verdict;
    const bool few = verdict.reruns.size() < static_cast<std::size_t>(task.record_min_seeds);
    const bool waits = verdict.plan && verdict.plan->rerun_waits;
    return waits || (best && few && verdict.tier == Tier::rerun);
}

// Accepted, but now the best of its category or a much-used parent, and not judged as far as such a one is.
Result<std::vector<ClaimRow>> grown_claims(Session& session, const Surroundings& around) {
    std::set<std::string> weighty;
    for (const auto& [category, candidate] : around.leader) weighty.insert(candidate);
    for (const auto& [candidate, count] : around.children) {
        if (count >= kMuchUsed) weighty.insert(candidate);
    }
    std::vector<ClaimRow> grown;
    for (const std::string& candidate : weighty) {
        TRY_ASSIGN(std::vector<ClaimRow> claims, session.index->claims(candidate));
        for (ClaimRow& row : claims) {
            if (key_digits(row.claim.writer) == key_digits(session.clone->writer)) continue;
            const bool owed = is_owed_a_rerun(session.clone->task, row, leads(around, row.claim));
            if (owed || was_light(row)) grown.push_back(std::move(row));
        }
    }
    return grown;
}

// Claims of this machine's kind of device that verifiers of others could only score.
Result<void> add_scored_claims(Session& session, std::vector<ClaimRow>& rows) {
    TRY_ASSIGN(std::vector<ClaimRow> scored, session.index->scored_claims());
    for (ClaimRow& row : scored) {
        if (is_of_another_device(category_named(row.claim.category), session.settings.device.value)) continue;
        rows.push_back(std::move(row));
    }
    return {};
}

}  // namespace

double QueuedClaim::all_s() const { return expected_s + (plan.audit.tier == Tier::rerun ? rerun_s : 0); }

const Run* QueuedClaim::artifact_run() const {
    const auto found =
        std::find_if(runs.begin(), runs.end(), [&](const RunRow& one) { return one.id == row.claim.artifact_run; });
    return found == runs.end() ? nullptr : &found->run;
}

Result<ClaimQueue> waiting_claims(Session& session) {
    TRY_ASSIGN(const Surroundings around, snapshot(session));
    TRY_ASSIGN(std::vector<ClaimRow> rows, session.index->pending_claims());
    TRY(add_scored_claims(session, rows));
    TRY_ASSIGN(std::vector<ClaimRow> grown, grown_claims(session, around));
    rows.insert(rows.end(), std::make_move_iterator(grown.begin()), std::make_move_iterator(grown.end()));
    TRY_ASSIGN(ClaimQueue queue, queue_of(session, around, std::move(rows)));
    TRY_ASSIGN(const Totals totals, session.index->totals());
    const double left_s = allowance(session.clone->task, totals).left_s();
    std::erase_if(queue.claims, [&](const QueuedClaim& one) {
        return is_owed_a_rerun(session.clone->task, one.row, one.impact.best) &&
               (!can_rerun(session, one) || one.expected_s + one.rerun_s > left_s);
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
    for (QueuedClaim& one : rest.claims) {
        const bool same_writer = one.row.claim.writer == judged.row.claim.writer;
        const bool beaten = good && one.impact.best && one.row.claim.category == judged.row.claim.category &&
                            one.row.claim.candidate != judged.row.claim.candidate &&
                            one.row.claim.val_bpb >= judged.row.claim.val_bpb;
        if (same_writer && good) ++one.track_record.valid_in_a_row;
        if (same_writer && bad) one.track_record.valid_in_a_row = 0;
        if (beaten) one.impact.best = false;
        if (beaten || (same_writer && bad)) settle_plan(session.clone->task, rest.hold_out, one);
    }
    order(rest.claims);
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
    return {totals.search_s, totals.verify_s, task.verify_share};
}

}  // namespace cultivar
