#include "benchmarks/verify/queue_simulation.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/verify/claim_order.h"
#include "cli/verify/turns.h"
#include "eval/judge/rerun_test.h"
#include "eval/statistics/significance.h"

namespace cultivar {
namespace {

constexpr double kDay_s = 86400, kBudget_s = 600, kSpread = 0.002;
constexpr int kClaimsOfAKey = 10, kHonestBefore = 12, kRunsPerClaim = 10;
constexpr double kMostPaid = 20;  // times the seconds of a key's verified runs
constexpr std::int64_t kBegin_s = 1'800'000'000;
constexpr const char* kHonest = "honest";
constexpr const char* kCategory = "cpu-600s-e10";

struct Kind {
    const char* name;
    Deceit deceit;
    bool after_honest_claims;
};
constexpr std::array kKinds = {Kind{kHonest, Deceit::none, false},
                               Kind{"edited", Deceit::edited, false},
                               Kind{"swapped", Deceit::swapped, false},
                               Kind{"trained_on_validation", Deceit::trained, false},
                               Kind{"slightly_trained_on_validation", Deceit::slightly, false},
                               Kind{"hidden_in_few_chunks", Deceit::hidden, false},
                               Kind{"other_training", Deceit::traced, false},
                               Kind{"trained_longer", Deceit::longer, false},
                               Kind{"edited_after_honest_claims", Deceit::edited, true},
                               Kind{"trained_longer_after_honest_claims", Deceit::longer, true}};

struct Entry {
    std::string kind, key;
    SimulatedClaim truth;
    int day = 0;
    bool counts = true;  // false: an honest claim before a lie
    Certainty certainty = Certainty::accepted;
    std::optional<VerdictResult> result{};
    std::vector<double> fresh{};
    bool rerun = false;

    bool stands() const { return result == VerdictResult::accepted; }
    double score() const { return fresh.empty() ? truth.claimed_bpb() : moments(fresh).mean; }
};

Task simulated_task() {
    constexpr std::int64_t kSlice = 64 * 4096;
    Task task;
    task.budget_s = kBudget_s;
    task.data.emplace();
    task.data->slice_score = {kSlice, kSlice};
    task.data->full_score = {4 * kSlice, 4 * kSlice};
    return task;
}

Run run_of(double val_bpb) {
    constexpr std::int64_t kSteps = 1000, kStepTokens = 8192;
    Run run;
    run.category = kCategory, run.budget_s = run.train_s = kBudget_s, run.wall_s = kBudget_s + 10;
    run.steps = kSteps, run.tokens = kSteps * kStepTokens, run.val_bpb = val_bpb;
    for (int step = 0; step < kTraceSteps; ++step)
        run.trace_elapsed_s.push_back(kBudget_s * step / static_cast<double>(kSteps));
    run.trace_loss.assign(run.trace_elapsed_s.size(), 5);
    return run;
}

class QueueSimulation {
public:
    QueueSimulation(int claims, int days, const ClaimNoise& noise, Random& random)
        : task_(simulated_task()), days_(days), random_(random), source_(noise, random) {
        for (const Kind& kind : kKinds) enter(kind, claims);
        queue_.hold_out = true;
    }

    QueueFigures play() {
        for (int day = 0; day < days_; ++day) {
            arrive(day);
            judge_all();
            note_leader();
        }
        for (const Entry& one : entries_) tally(one);
        figures_.paying_s = paying_s();
        figures_.spent_s = spent_s_;
        return std::move(figures_);
    }

private:
    void add(const Kind& kind, const std::string& key, Deceit deceit, int day, bool counts) {
        entries_.push_back({counts ? kind.name : kHonest, key, source_.make(deceit), day, counts});
    }
    int any_day(int from = 0) {
        return std::min(days_ - 1, from + static_cast<int>(random_.uniform() * (days_ - from)));
    }
    void enter(const Kind& kind, int claims) {
        for (int i = 0; i < claims; ++i) {
            const std::string key = fmt::format("{} {}", kind.name, kind.after_honest_claims ? i : i / kClaimsOfAKey);
            // Three of a day count for standing.
            const int first = any_day() / 2;
            for (int before = 0; kind.after_honest_claims && before < kHonestBefore; ++before)
                add(kind, key, Deceit::none, std::min(days_ - 1, first + before / 2), false);
            add(kind, key, kind.deceit, kind.after_honest_claims ? any_day(first + kHonestBefore / 2) : any_day(),
                true);
        }
    }

    QueuedClaim queued(std::size_t number) const {
        const Entry& entry = entries_[number];
        QueuedClaim one;
        one.row.id = std::to_string(number);
        one.row.key = one.row.claim.writer = entry.key;
        one.row.claim.candidate = one.row.id, one.row.claim.category = kCategory;
        one.row.claim.val_bpb = entry.truth.claimed_bpb();
        one.row.claim.artifact_run = "run " + one.row.id;
        one.row.seq = static_cast<std::int64_t>(number);
        one.runs.push_back({one.row.claim.artifact_run, run_of(one.row.claim.val_bpb), false, "", ""});
        one.claim_s = one.runs[0].run.wall_s;
        one.fresh_seeds = static_cast<int>(entry.fresh.size());
        return one;
    }
    std::size_t leader() const {
        std::size_t best = entries_.size();
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (entries_[i].stands() && (best == entries_.size() || entries_[i].score() < entries_[best].score()))
                best = i;
        }
        return best;
    }
    // Claims that wait, those that owe a rerun, and an accepted one that came to lead without one.
    void arrive(int day) {
        now_s_ = kBegin_s + static_cast<std::int64_t>(day * kDay_s);
        queue_.claims.clear();
        const std::size_t first = leader();
        const double best =
            first == entries_.size() ? std::numeric_limits<double>::infinity() : entries_[first].score();
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            const Entry& entry = entries_[i];
            const bool owed =
                entry.stands() && (entry.certainty == Certainty::provisional || (i == first && !entry.rerun));
            if (entry.day > day || (entry.result && !owed)) continue;
            QueuedClaim one = queued(i);
            one.owed = owed;
            one.impact.best = i == first || one.row.claim.val_bpb < best;
            one.impact.gain = best < 100 ? best - one.row.claim.val_bpb : 0;
            settle_plan(task_, queue_, one);
            queue_.claims.push_back(std::move(one));
        }
        order_claims(queue_);
    }

    double paying_s() const {
        std::map<std::string, int> claimed;
        for (const Entry& one : entries_)
            claimed[one.key] += now_s_ >= kBegin_s + static_cast<std::int64_t>(one.day * kDay_s);
        double sum_s = static_cast<double>(now_s_ - kBegin_s) + kDay_s;
        for (const auto& [key, account] : queue_.accounts) {
            if (standing_of(account.work) != KeyStanding::proven) continue;
            const auto verified = std::ranges::count(account.work, VerdictResult::accepted, &JudgedWork::result);
            sum_s += std::min(kRunsPerClaim * kBudget_s * claimed[key],
                              kMostPaid * kBudget_s * static_cast<double>(verified));
        }
        return sum_s;
    }

    void judge_all() {
        queue_.now_s = now_s_;
        double unproven_s = 0;
        for (const auto& [key, account] : queue_.accounts) {
            if (standing_of(account.work) != KeyStanding::proven) unproven_s += account.spent_s;
        }
        const VerificationBudget share{paying_s(), spent_s_, task_.verify_share, kFirstBudgets * kBudget_s};
        const RoundOptions options;
        Turns turns(task_, [](const QueuedClaim&) { return true; }, options, {share, unproven_s});
        std::set<std::string> passed_over;
        for (auto at = queue_.claims.begin(); at != queue_.claims.end();) {
            if (passed_over.contains(at->row.id) || !turns.fit(*at)) {
                passed_over.insert(at->row.id);
                ++at;
                continue;
            }
            const QueuedClaim one = std::move(*at);
            queue_.claims.erase(at);
            const Verdict verdict = judge(one);
            apply_verdict(task_, one, verdict, queue_);  // in another order
            spent_s_ += verdict.seconds;
            turns.spend(verdict.seconds, standing_of(queue_.accounts[one.row.key].work) == KeyStanding::proven);
            at = queue_.claims.begin();
        }
    }

    Verdict judge(const QueuedClaim& one) {
        Entry& entry = entries_[std::stoul(one.row.id)];
        const PlannedAudit& plan = one.plan.audit;
        Verdict verdict;
        verdict.claim = one.row.id, verdict.candidate = one.row.claim.candidate;
        verdict.seconds = one.expected_s;
        verdict.result = VerdictResult::rejected;
        const bool passed = source_.passes_scoring(entry.truth, plan.extent != AuditExtent::sample) &&
                            (plan.tier < Tier::replay || source_.passes_replay(entry.truth)) &&
                            (plan.tier < Tier::rerun || passes_reruns(one, entry, verdict));
        if (passed) verdict.result = VerdictResult::accepted;
        entry.result = verdict.result;
        entry.certainty = plan.rerun_waits ? Certainty::provisional : Certainty::accepted;
        return verdict;
    }
    bool passes_reruns(const QueuedClaim& one, Entry& entry, Verdict& verdict) {
        entry.rerun = true;
        SeedSpread others;
        for (const Entry& other : entries_) {
            if (&other != &entry) others.add(other.fresh);
        }
        const int due = seeds_due(task_, one), looks = std::max(1, due);
        bool accepted = true;
        for (int look = 0; look < looks && accepted; ++look) {
            if (due > 0) {
                entry.fresh.push_back(source_.fresh_seed(entry.truth, kSpread));
                verdict.seconds += one.jobs.seed;
            }
            accepted = judge_rerun(one.row.claim.val_bpb, 1, entry.fresh, others, looks).accepted;
        }
        return accepted;
    }

    void note_leader() {
        const std::size_t first = leader();
        if (first < entries_.size()) ++figures_.kinds[entries_[first].kind].best;
    }
    void tally(const Entry& one) {
        if (!one.counts) return;
        QueueTally& sum = figures_.kinds[one.kind];
        ++sum.claims;
        sum.rerun += one.rerun;
        const bool accepted = one.stands() && one.certainty == Certainty::accepted;
        sum.waiting += !one.result;
        sum.rejected += one.result == VerdictResult::rejected;
        sum.accepted += accepted;
        sum.provisional += one.stands() && !accepted;
    }

    Task task_;
    int days_;
    Random& random_;
    ClaimSource source_;
    std::vector<Entry> entries_{};
    ClaimQueue queue_{};
    QueueFigures figures_{};
    std::int64_t now_s_ = kBegin_s;
    double spent_s_ = 0;
};

}  // namespace

QueueFigures simulate_queue(int claims, int days, const ClaimNoise& noise, Random& random) {
    return QueueSimulation(claims, days, noise, random).play();
}

}  // namespace cultivar
