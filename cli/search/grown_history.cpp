#include "cli/search/grown_history.h"

#include <algorithm>

#include "cli/session/history_loader.h"

namespace cultivar {
namespace {

// The run, its lease, and its candidate and writer if they were new. A lease of another candidate is that of a run which
// another loop of this clone began.
bool is_one_run(const RefreshReport& imported, const std::string& candidate) {
    RefreshReport rest = imported;
    rest.runs -= 1;
    if (rest.leases == 1 && imported.leased == candidate) rest.leases = 0;
    rest.candidates -= std::min(rest.candidates, 1);
    rest.contributors -= std::min(rest.contributors, 1);
    return brought_nothing(rest);
}

// Leases and asks end with time, and failures may be lifted.
bool depends_on_more(const History& history, const std::string& candidate) {
    return std::ranges::any_of(history.candidates,
                               [&](const KnownCandidate& known) {
                                   return known.leased || (known.in_flight && known.candidate.id != candidate);
                               }) ||
           std::ranges::any_of(history.trials,
                               [](const Trial& trial) { return trial.trusted && trial.status == RunStatus::failed; });
}

bool was_scored_here(const History& history, const std::string& candidate) {
    return std::ranges::any_of(history.trials, [&](const Trial& trial) {
        return trial.candidate == candidate && trial.trusted && trial.status == RunStatus::done;
    });
}

// Its branch would make parents kept that had none, and a cross names its parents in the order of their commits.
bool changes_parents(const History& history, const Run& run) {
    if (run.decision != Decision::kept) return false;
    return run.parents.size() > 1 || std::ranges::any_of(run.parents, [&](const std::string& parent) {
               const auto known = std::ranges::find(history.candidates, parent,
                                                    [](const KnownCandidate& one) { return one.candidate.id; });
               return known == history.candidates.end() || !known->kept;
           });
}

}  // namespace

bool brought_nothing(const RefreshReport& report) {
    return report.refused.empty() &&
           std::ranges::all_of(kReportCounts, [&](const auto& count) { return report.*count.second == 0; });
}

bool add_recorded(PlanningHistory& now, const Run& run, const RefreshReport& imported) {
    History& history = now.history;
    if (run.status != RunStatus::done || run.category != history.category || history.candidates.empty()) return false;
    if (!is_one_run(imported, run.candidate) || depends_on_more(history, run.candidate) ||
        changes_parents(history, run))
        return false;
    const auto known = std::ranges::find(history.candidates, run.candidate,
                                         [](const KnownCandidate& one) { return one.candidate.id; });
    if (known == history.candidates.end() || known->parents != run.parents) return false;
    const bool is_new = imported.candidates == 1;  // the newest of all, and a larger pool is thinned out
    if (is_new && (&*known != &history.candidates.back() || known->seed || known->runs_anywhere > 0 ||
                   history.candidates.size() == kMostCandidates + 1))
        return false;
    if (!is_new && !was_scored_here(history, run.candidate)) return false;
    known->kept = known->kept || run.decision == Decision::kept;
    known->in_flight = known->held_here = known->wanted = false;
    ++known->runs_anywhere;
    history.trials.push_back(trial_of(run, true));
    return true;
}

}  // namespace cultivar
