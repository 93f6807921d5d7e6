// Planning the next run of this clone, for explore, ask and explain.
#pragma once

#include "bandit/history/history.h"
#include "bandit/planner/planner.h"
#include "cli/runs/planned_run.h"
#include "cli/session/observer.h"
#include "pool/util/clock.h"

namespace cultivar {

class ExternalProposer;

struct PlanOptions {
    std::string category;
    double budget_s = 0;
    std::optional<std::uint64_t> seed;     // none: the draws follow from the writer and the records
    ExternalProposer* proposer = nullptr;  // asked when the operator bandit draws it
    bool explain = false;
    bool control = false;  // see PlannerInput
};

// The pool as a plan sees it: main's seeds as they are now, the leases of others, the asks that are held here and the
// run that explore has under way here. To build it takes several queries over all that is known, so it is built once a
// run, under the planning lock, and serves the plan, the stopping rule and the judgement.
struct PlanningHistory {
    History history;
    std::int64_t index_version = 0;   // of the index that it was read from
    std::uintmax_t lifted_bytes = 0;  // of the list of failures that count no longer
};
Result<PlanningHistory> planning_history(Session& session, const Clock& clock, const std::string& category);
// The same, read again only if another process has changed the index since, or has lifted failures.
Result<PlanningHistory> up_to_date(Session& session, const Clock& clock, PlanningHistory now);

// The planned run is known and in flight.
void mark_under_way(const PlannedRun& planned, History& history);

struct NextRun {
    PlannedRun run;
    std::optional<Explanation> why;
};

// A cross or an import that a person made here and that did not run comes first; the planner decides otherwise. Changes
// nothing. Errors: unfit (nothing to try), interrupted.
Result<NextRun> plan_run(Session& session, const Clock& clock, const History& now, const PlanOptions& options);

// The seed of a plan, which follows from `luck` and the number of runs.
std::uint64_t plan_seed(const std::string& luck, std::size_t runs);

// Held while a run is planned and leased, so that two processes of this clone never choose the same. Waits for two
// minutes at most. Errors: busy, interrupted.
Result<FileLock> lock_planning(const Observer& observer, const Session& session);

// Records in the journal that this run is under way. Errors: io, git.
Result<void> lease(const Session& session, const PlannedRun& planned);

}  // namespace cultivar
