#include "cli/search/run_recorder.h"

#include "bandit/policy/keep_test.h"
#include "cli/runs/run_output.h"
#include "cli/search/grown_history.h"
#include "cli/session/history_loader.h"
#include "pool/clone/journal.h"
#include "pool/storage/artifact_commit.h"
#include "pool/util/shared_text.h"

namespace cultivar {
namespace {

// Calls `make`, which makes this ref if it is not there, and adds it to those that are new.
template <typename Make>
Result<void> note_if_new(const Repo& repo, const std::string& ref, std::set<std::string>& made, const Make& make) {
    TRY_ASSIGN(const std::optional<Oid> there, repo.ref(ref));
    TRY(make());
    if (!there) made.insert(ref);
    return {};
}

}  // namespace

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
    Repo& repo = session.clone->repo;
    std::set<std::string> made;
    if (run.status == RunStatus::done && run.decision != Decision::reverted && result.weights) {
        const auto store = [&] { return store_artifact(repo, run.artifact, *result.weights); };
        TRY(note_if_new(repo, artifact_ref(run.artifact), made, store));
    }
    TRY_ASSIGN(explored.id, append_record(*session.clone, run));
    TRY(keep_output(session, explored.id, result.output));
    TRY_ASSIGN(RefreshReport imported, session.index->refresh(made));
    if (!now || !add_recorded(*now, run, imported)) now.reset();
    if (run.decision == Decision::kept) {
        TRY_ASSIGN(CandidateCommit commit, session.index->commit_of(run.candidate));
        made.clear();
        TRY(note_if_new(repo, "refs/heads/" + candidate_branch(run.candidate, commit.oid), made,
                        [&] { return ensure_candidate_branch(repo, commit); }));
        TRY_ASSIGN(imported, session.index->refresh(made));
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
