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

Result<History> read_history(Session& session, const std::vector<Seed>& seeds, const std::string& category,
                             const std::string& before) {
    History history;
    history.category = category;
    history.noiseless = session.clone->task.noiseless;
    history.text = ScoreText(session.clone->task);
    std::map<std::string, std::size_t> at;
    auto known = [&](Candidate candidate) -> KnownCandidate& {
        auto [found, fresh] = at.emplace(candidate.id, history.candidates.size());
        if (fresh) history.candidates.push_back({.candidate = std::move(candidate), .parents = {}});
        return history.candidates[found->second];
    };
    for (const Seed& seed : seeds) known(seed.candidate).seed = true;
    Index& index = *session.index;
    TRY_ASSIGN(std::vector<RunSummary> runs, index.summaries(category));
    auto made_here = [&](const auto& run) { return run.writer == session.clone->writer; };
    auto own = [&](const auto& run) { return run.accepted || made_here(run); };
    TRY_ASSIGN(const FreshScores fresh, index.fresh_seed_scores());
    TRY_ASSIGN(std::int64_t count, index.candidate_count());
    std::optional<std::set<std::string>> only;
    TRY_ASSIGN(std::vector<OtherCategoryRun> elsewhere, index.runs_elsewhere(category, kMostElsewhere, before));
    if (count > kMostCandidates) only = chosen(runs, own, elsewhere);
    TRY_ASSIGN(std::vector<PlanCandidate> rows, index.plan_candidates(only ? &*only : nullptr));
    std::set<std::string> vouched;  // candidates with a scored run of this clone, or with an accepted one
    for (const RunSummary& run : runs) {
        if (own(run) && run.status == RunStatus::done) vouched.insert(run.candidate);
    }
    for (PlanCandidate& row : rows) {
        auto candidate = parse_canonical(session.clone->task.space, session.clone->task_id, row.toml);
        if (!candidate || !has_source(session, *candidate)) continue;
        KnownCandidate& entry = known(std::move(*candidate));
        const auto found = entry.candidate.files.empty() ? fresh.find({category, entry.candidate.id}) : fresh.end();
        if (found != fresh.end()) entry.fresh = found->second;
        entry.parents = std::move(row.parents);
        entry.kept = row.kept;
        // A pool's seed stays open, whatever strangers claim of it or do with it.
        entry.rejected = row.rejected && !entry.seed;
        // What nobody but its finders scored is only not worth an import: the search may come to it by itself.
        const bool only_said = row.retired && row.retired_by_keepers && !vouched.contains(entry.candidate.id);
        entry.retired = row.retired && !only_said && !(entry.seed && row.retired_by_keepers);
        if (only_said && !entry.seed) entry.kept = false;
        entry.runs_anywhere = row.runs;
    }
    // Source may behave otherwise before verifiers than before anybody else, or from some day on: it is worth what it
    // scores here.
    auto brings_files = [&](const std::string& candidate) {
        const auto found = at.find(candidate);
        return found != at.end() && !history.candidates[found->second].candidate.files.empty();
    };
    auto trusted = [&](const auto& run) { return made_here(run) || (run.accepted && !brings_files(run.candidate)); };
    // Only own runs need their curves (bandit/policy/early_stopping.h).
    TRY_ASSIGN(std::vector<RunRow> own_runs, index.own_curves_and_failures(category));
    TRY_ASSIGN(LiftedFailures failures, LiftedFailures::read(session, own_runs));
    std::map<std::string, std::vector<CurvePoint>> curves;
    std::set<std::string> lifted;
    for (RunRow& row : own_runs) {
        if (failures.lifted(row)) lifted.insert(row.id);
        curves[row.id] = std::move(row.run.curve);
    }
    for (const RunSummary& run : runs) {  // oldest first: a later run answers the wish for another try
        const auto found = own(run) ? at.find(run.candidate) : at.end();
        if (found != at.end()) history.candidates[found->second].wanted = failures.by_hand(run.id);
    }
    for (const RunSummary& run : runs) {
        if (!before.empty() && run.id == before) break;
        if ((only && !at.count(run.candidate)) || lifted.contains(run.id)) continue;
        history.trials.push_back(trial_of(run, trusted(run)));
        if (!history.trials.back().trusted) history.trials.back().writer = run.writer;
        history.trials.back().of_proven_key = !history.trials.back().trusted && run.of_proven_key;
        history.trials.back().claimed = history.trials.back().trusted && !made_here(run);
        if (!made_here(run)) take_fresh_mean(fresh, category, history.trials.back());
        if (auto curve = curves.find(run.id); curve != curves.end())
            history.trials.back().curve = std::move(curve->second);
    }
    for (OtherCategoryRun& run : elsewhere) {
        Trial& trial = history.elsewhere.emplace_back();
        trial.candidate = std::move(run.candidate);
        trial.score = run.score;
        trial.trusted = trusted(run);
        trial.category = std::move(run.category);
        if (!made_here(run)) take_fresh_mean(fresh, trial.category, trial);
        if (!trial.trusted) trial.writer = std::move(run.writer);
    }
    TRY_ASSIGN(std::vector<Lease> leases, session.index->leases());
    std::map<std::string, int> children;
    for (const Lease& lease : plausible_leases(std::move(leases), category)) {
        if (auto found = at.find(lease.candidate); found != at.end()) {
            KnownCandidate& entry = history.candidates[found->second];
            entry.leased = true;
            entry.in_flight = !vouched.contains(lease.candidate);  // a lease of others holds none of these
            continue;
        }
        auto leased = parse_canonical(session.clone->task.space, session.clone->task_id, lease.toml);
        if (!leased || leased->id != lease.candidate || !has_source(session, *leased))
            continue;  // an older version of the program wrote no configuration
        const bool believed = std::ranges::all_of(lease.parents, [&](const std::string& parent) {
            return at.contains(parent) && ++children[parent] <= kMostLeasedChildren;
        });
        KnownCandidate& entry = known(std::move(*leased));
        if (believed) entry.parents = lease.parents;
        entry.in_flight = entry.leased = true;
    }
    return history;
}

}  // namespace cultivar
