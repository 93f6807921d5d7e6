#include "cli/search/run_recorder.h"

#include "bandit/policy/keep_test.h"
#include "cli/runs/run_output.h"
#include "cli/search/grown_history.h"
#include "cli/session/history_loader.h"
#include "pool/clone/journal.h"
#include "pool/storage/artifact_commit.h"
#include "pool/util/shared_text.h"

namespace cultivar {

Result<ExploredRun> record_run(Session& session, const Clock& clock, RunResult result,
                               std::optional<PlanningHistory>& now) {
    Run& run = result.run;
    run.reason = for_sharing(run.reason);
    ExploredRun explored;
    const bool judgeable = run.status == RunStatus::done || run.status == RunStatus::stopped;
    if (judgeable) {
        TRY_ASSIGN(now,
                   now ? up_to_date(session, clock, std::move(*now)) : planning_history(session, clock, run.category));
        History& history = now->history;
        history.trials.push_back(trial_of(run, true));
        const Judgement judgement = judge(history, run.candidate, run.parents);
        history.trials.pop_back();
        run.decision = judgement.decision;
        explored.sigma = judgement.sigma;
        run.reason = run.reason.empty() ? judgement.reason : run.reason + "; " + judgement.reason;
    }
    // A run that is not settled yet keeps its weights too: the next one may settle it.
    if (run.status == RunStatus::done && run.decision != Decision::reverted && result.weights)
        TRY(store_artifact(session.clone->repo, run.artifact, *result.weights));
    TRY_ASSIGN(explored.id, append_record(*session.clone, run));
    TRY(keep_output(session, explored.id, result.output));
    TRY_ASSIGN(RefreshReport imported, session.index->refresh());
    if (!now || !add_recorded(*now, run, imported)) now.reset();
    if (run.decision == Decision::kept) {
        TRY_ASSIGN(CandidateCommit commit, session.index->commit_of(run.candidate));
        TRY(ensure_candidate_branch(session.clone->repo, commit));
        TRY_ASSIGN(imported, session.index->refresh());
        if (!brought_nothing(imported)) now.reset();
    }
    explored.run = std::move(run);
    return explored;
}

Result<ExploredRun> record_run(Session& session, const Clock& clock, RunResult result) {
    std::optional<PlanningHistory> now;
    return record_run(session, clock, std::move(result), now);
}

Json run_json(const ExploredRun& explored) {
    auto json = Json::parse(to_line(Record(explored.run)));
    json["id"] = explored.id;
    return json;
}

}  // namespace cultivar
