#include "cli/search/run_recorder.h"

#include "bandit/policy/keep_test.h"
#include "cli/runs/run_output.h"
#include "cli/session/history_loader.h"
#include "pool/clone/journal.h"
#include "pool/storage/artifact_commit.h"
#include "pool/util/shared_text.h"

namespace cultivar {

Result<ExploredRun> record_run(Session& session, const Clock& clock, RunResult result,
                               std::optional<PlanningHistory> now) {
    Run& run = result.run;
    run.reason = for_sharing(run.reason);
    ExploredRun explored;
    const bool judgeable = run.status == RunStatus::done || run.status == RunStatus::stopped;
    if (judgeable) {
        if (!now) {
            TRY_ASSIGN(now, planning_history(session, clock, run.category));
        }
        TRY_ASSIGN(History history, up_to_date(session, clock, std::move(*now)));
        history.trials.push_back(trial_of(run, true));
        const Judgement judgement = judge(history, run.candidate, run.parents);
        run.decision = judgement.decision;
        explored.sigma = judgement.sigma;
        run.reason = run.reason.empty() ? judgement.reason : run.reason + "; " + judgement.reason;
    }
    // A run that is not settled yet keeps its weights too: the next one may settle it.
    if (run.status == RunStatus::done && run.decision != Decision::reverted && result.weights)
        TRY(store_artifact(session.clone->repo, run.artifact, *result.weights));
    TRY_ASSIGN(explored.id, append_record(*session.clone, run));
    TRY(keep_output(session, explored.id, result.output));
    TRY(session.index->refresh());
    if (run.decision == Decision::kept) {
        TRY_ASSIGN(CandidateCommit commit, session.index->commit_of(run.candidate));
        TRY(ensure_candidate_branch(session.clone->repo, commit));
        TRY(session.index->refresh());
    }
    explored.run = std::move(run);
    return explored;
}

Json run_json(const ExploredRun& explored) {
    auto json = Json::parse(to_line(Record(explored.run)));
    json["id"] = explored.id;
    return json;
}

}  // namespace cultivar
