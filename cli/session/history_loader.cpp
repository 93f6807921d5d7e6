#include "cli/session/history_loader.h"

#include "cli/session/lifted_failures.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>

namespace cultivar {
namespace {

// In a larger pool, the candidates of this clone's own runs and of the best and the newest of the others'.
constexpr std::size_t kMostBest = 2500, kMostNewest = 2500;
constexpr int kMostLeases = 100;  // of one writer
constexpr std::size_t kMostLeasesInAll = 400;
constexpr int kMostLeasedChildren = 16;  // of one parent, that nobody has run yet
constexpr int kMostElsewhere = 2000;     // runs of other categories

// The fields that a run and its summary name alike.
template <typename AnyRun>
Trial shared_fields(const AnyRun& run, bool trusted) {
    Trial trial;
    trial.candidate = run.candidate;
    trial.status = run.status;
    trial.operator_name = run.operator_name;
    trial.decision = run.decision;
    trial.parents = run.parents;
    trial.budget_s = run.budget_s;
    trial.steps = run.steps;
    trial.trusted = trusted;
    trial.wall_s = run.wall_s;
    trial.proposer = run.proposer;
    trial.proposer_s = run.proposer_seconds;
    return trial;
}

Trial trial_of(const RunSummary& run, bool trusted) {
    Trial trial = shared_fields(run, trusted);
    trial.score = run.score;
    trial.proposer_usd = run.proposer_usd;
    return trial;
}

using FreshScores = std::map<std::pair<std::string, std::string>, std::vector<double>>;  // by category and candidate

// A claimed score counts no longer once verifiers trained the candidate with fresh seeds.
void take_fresh_mean(const FreshScores& fresh, const std::string& category, Trial& trial) {
    if (trial.status != RunStatus::done) return;
    const auto found = fresh.find({category, trial.candidate});
    if (found == fresh.end()) return;
    trial.score =
        std::accumulate(found->second.begin(), found->second.end(), 0.0) / static_cast<double>(found->second.size());
}

// The candidates that a plan in a large pool is made from.
std::set<std::string> chosen(const std::vector<RunSummary>& runs, const std::function<bool(const RunSummary&)>& own,
                             const std::vector<OtherCategoryRun>& elsewhere) {
    std::set<std::string> names;
    std::vector<const RunSummary*> others;
    for (const OtherCategoryRun& run : elsewhere) names.insert(run.candidate);
    for (const RunSummary& run : runs) {
        if (!own(run)) {
            others.push_back(&run);
            continue;
        }
        names.insert(run.candidate);
        names.insert(run.parents.begin(), run.parents.end());
    }
    for (std::size_t i = others.size() - std::min(others.size(), kMostNewest); i < others.size(); ++i)
        names.insert(others[i]->candidate);
    std::erase_if(others, [](const RunSummary* run) { return run->status != RunStatus::done; });
    const auto best = others.begin() + static_cast<std::ptrdiff_t>(std::min(others.size(), kMostBest));
    std::ranges::partial_sort(others, best, {}, &RunSummary::score);
    for (auto run = others.begin(); run != best; ++run) names.insert((*run)->candidate);
    return names;
}

// Records name files by their digests. What nobody gave the bytes of cannot run here.
bool has_source(Session& session, const Candidate& candidate) {
    return candidate.files.empty() || session.index->lineage().has_source(candidate).value_or(false);
}

}  // namespace

Trial trial_of(const Run& run, bool trusted) {
    Trial trial = shared_fields(run, trusted);
    trial.score = run.val_bpb.value_or(run.expected_bpb.value_or(0));
    trial.curve = run.curve;
    trial.proposer_usd = run.proposer_usd.value_or(0);
    return trial;
}

std::vector<Lease> plausible_leases(std::vector<Lease> leases, const std::string& category) {
    std::map<std::string, int> held;
    std::erase_if(leases,
                  [&](const Lease& lease) { return lease.category != category || ++held[lease.writer] > kMostLeases; });
    if (leases.size() <= kMostLeasesInAll) return leases;
    held.clear();
    std::vector<std::pair<int, std::size_t>> turns;  // all writers' first leases, then their second ones
    for (std::size_t i = 0; i < leases.size(); ++i) turns.emplace_back(++held[leases[i].writer], i);
    std::ranges::nth_element(turns, turns.begin() + kMostLeasesInAll);
    turns.resize(kMostLeasesInAll);
    std::ranges::sort(turns, {}, &std::pair<int, std::size_t>::second);
    std::vector<Lease> few;
    for (const auto& [turn, place] : turns) few.push_back(std::move(leases[place]));
    return few;
}

namespace {

class HistoryReader {
public:
    HistoryReader(Session& session, const std::string& category, const std::string& before)
        : session_(session), task_(session.clone->task), index_(*session.index), before_(before) {
        history_.category = category;
        history_.noiseless = task_.noiseless;
        history_.text = ScoreText(task_);
    }

    Result<History> read(const std::vector<Seed>& seeds) {
        for (const Seed& seed : seeds) known(seed.candidate).seed = true;
        TRY_ASSIGN(runs_, index_.summaries(history_.category));
        TRY_ASSIGN(fresh_, index_.fresh_seed_scores());
        TRY_ASSIGN(elsewhere_, index_.runs_elsewhere(history_.category, kMostElsewhere, before_));
        TRY(take_candidates());
        TRY(take_trials());
        take_elsewhere();
        TRY(take_leases());
        return std::move(history_);
    }

private:
    KnownCandidate& known(Candidate candidate) {
        auto [found, fresh] = at_.emplace(candidate.id, history_.candidates.size());
        if (fresh) history_.candidates.push_back({.candidate = std::move(candidate), .parents = {}});
        return history_.candidates[found->second];
    }

    KnownCandidate* find(const std::string& candidate) {
        const auto found = at_.find(candidate);
        return found == at_.end() ? nullptr : &history_.candidates[found->second];
    }

    template <typename AnyRun>
    bool made_here(const AnyRun& run) const {
        return run.writer == session_.clone->writer;
    }
    template <typename AnyRun>
    bool own(const AnyRun& run) const {
        return run.accepted || made_here(run);
    }
    // Source may behave otherwise before verifiers than before anybody else, or from some day on: it is worth what it
    // scores here.
    template <typename AnyRun>
    bool trusted(const AnyRun& run) {
        const KnownCandidate* entry = find(run.candidate);
        return made_here(run) || (run.accepted && (entry == nullptr || entry->candidate.files.empty()));
    }

    // The number of a replicate is the seed of its training. A training that is claimed twice, under whatever names and
    // with whatever figures, would show no noise where there is some.
    bool repeats_a_training(const RunSummary& run) {
        const bool is_new =
            run.status != RunStatus::done || !own(run) || trainings_.insert({run.candidate, run.replicate}).second;
        return !is_new && !made_here(run);
    }

    Result<void> take_candidates();
    void take(PlanCandidate row, Candidate candidate);
    Result<void> take_trials();
    void take_elsewhere();
    Result<void> take_leases();
    void take(const Lease& lease);

    Session& session_;
    const Task& task_;
    Index& index_;
    const std::string& before_;
    History history_;
    std::map<std::string, std::size_t> at_{};  // candidates' places in the history
    std::vector<RunSummary> runs_{};
    FreshScores fresh_{};
    std::vector<OtherCategoryRun> elsewhere_{};
    std::optional<std::set<std::string>> only_{};  // of a large pool
    std::set<std::string> vouched_{};              // with a scored run of this clone, or with an accepted one
    std::map<std::string, int> leased_children_{};
    std::set<std::pair<std::string, int>> trainings_{};  // scored here, or claimed and accepted
};

Result<void> HistoryReader::take_candidates() {
    TRY_ASSIGN(const std::int64_t count, index_.candidate_count());
    if (count > kMostCandidates)
        only_ = chosen(
            runs_, [this](const RunSummary& run) { return own(run); }, elsewhere_);
    for (const RunSummary& run : runs_) {
        if (own(run) && run.status == RunStatus::done) vouched_.insert(run.candidate);
    }
    TRY_ASSIGN(std::vector<PlanCandidate> rows, index_.plan_candidates(only_ ? &*only_ : nullptr));
    for (PlanCandidate& row : rows) {
        auto candidate = parse_canonical(task_.space, session_.clone->task_id, row.toml);
        if (candidate && has_source(session_, *candidate)) take(std::move(row), std::move(*candidate));
    }
    return {};
}

void HistoryReader::take(PlanCandidate row, Candidate candidate) {
    KnownCandidate& entry = known(std::move(candidate));
    const auto found =
        entry.candidate.files.empty() ? fresh_.find({history_.category, entry.candidate.id}) : fresh_.end();
    if (found != fresh_.end()) entry.fresh = found->second;
    entry.parents = std::move(row.parents);
    entry.kept = row.kept;
    // A pool's seed stays open, whatever strangers claim of it or do with it.
    entry.rejected = row.rejected && !entry.seed;
    // What nobody but its finders scored is only not worth an import: the search may come to it by itself.
    const bool only_said = row.retired && row.retired_by_keepers && !vouched_.contains(entry.candidate.id);
    entry.retired = row.retired && !only_said && !(entry.seed && row.retired_by_keepers);
    if (only_said && !entry.seed) entry.kept = false;
    entry.runs_anywhere = row.runs;
}

Result<void> HistoryReader::take_trials() {
    // Only own runs need their curves (bandit/policy/early_stopping.h).
    TRY_ASSIGN(std::vector<RunRow> own_runs, index_.own_curves_and_failures(history_.category));
    TRY_ASSIGN(LiftedFailures failures, LiftedFailures::read(session_, own_runs));
    std::map<std::string, std::vector<CurvePoint>> curves;
    std::set<std::string> lifted;
    for (RunRow& row : own_runs) {
        if (failures.lifted(row)) lifted.insert(row.id);
        curves[row.id] = std::move(row.run.curve);
    }
    for (const RunSummary& run : runs_) {  // oldest first: a later run answers the wish for another try
        KnownCandidate* entry = own(run) ? find(run.candidate) : nullptr;
        if (entry != nullptr) entry->wanted = failures.by_hand(run.id);
    }
    for (const RunSummary& run : runs_) {
        if (!before_.empty() && run.id == before_) break;
        if ((only_ && !at_.count(run.candidate)) || lifted.contains(run.id)) continue;
        if (repeats_a_training(run)) continue;
        Trial& trial = history_.trials.emplace_back(trial_of(run, trusted(run)));
        if (!trial.trusted) trial.writer = run.writer;
        trial.of_proven_key = !trial.trusted && run.of_proven_key;
        trial.claimed = trial.trusted && !made_here(run);
        if (!made_here(run)) take_fresh_mean(fresh_, history_.category, trial);
        if (auto curve = curves.find(run.id); curve != curves.end()) trial.curve = std::move(curve->second);
    }
    return {};
}

void HistoryReader::take_elsewhere() {
    for (OtherCategoryRun& run : elsewhere_) {
        Trial& trial = history_.elsewhere.emplace_back();
        trial.trusted = trusted(run);
        trial.candidate = std::move(run.candidate);
        trial.score = run.score;
        trial.category = std::move(run.category);
        if (!made_here(run)) take_fresh_mean(fresh_, trial.category, trial);
        if (!trial.trusted) trial.writer = std::move(run.writer);
    }
}

Result<void> HistoryReader::take_leases() {
    TRY_ASSIGN(std::vector<Lease> leases, index_.leases());
    for (const Lease& lease : plausible_leases(std::move(leases), history_.category)) take(lease);
    return {};
}

void HistoryReader::take(const Lease& lease) {
    if (KnownCandidate* entry = find(lease.candidate)) {
        entry->leased = true;
        entry->in_flight = !vouched_.contains(lease.candidate);  // a lease of others holds none of these
        return;
    }
    auto leased = parse_canonical(task_.space, session_.clone->task_id, lease.toml);
    if (!leased || leased->id != lease.candidate || !has_source(session_, *leased))
        return;  // an older version of the program wrote no configuration
    const bool believed = std::ranges::all_of(lease.parents, [&](const std::string& parent) {
        return at_.contains(parent) && ++leased_children_[parent] <= kMostLeasedChildren;
    });
    KnownCandidate& entry = known(std::move(*leased));
    if (believed) entry.parents = lease.parents;
    entry.in_flight = entry.leased = true;
}

}  // namespace

Result<History> read_history(Session& session, const std::vector<Seed>& seeds, const std::string& category,
                             const std::string& before) {
    return HistoryReader(session, category, before).read(seeds);
}

}  // namespace cultivar
