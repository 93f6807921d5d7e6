// The loop of an exploration: pull, plan, train, judge, record, share. One run at a time; killed at any point, the next
// start goes on. It prints nothing: a SearchObserver hears of it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/runs/run_execution.h"
#include "cli/search/external_proposer.h"
#include "cli/search/next_run.h"
#include "cli/search/search_observer.h"

namespace cultivar {

struct ExploreOptions {
    std::optional<int> runs;         // ends after so many
    std::optional<double> for_s;     // starts no run after so much time
    std::optional<double> budget_s;  // else the pool's
    std::optional<std::uint64_t> seed;
    bool propose = false;           // pushes at the end, and every 30 minutes
    std::function<bool()> allowed;  // asked before each run and every 30 s; while it says no, runs wait. None: always
    std::optional<ProposerOptions> proposer;
};

class Explorer {
public:
    // All of them must outlive it.
    Explorer(SearchObserver& observer, Worker& worker, const Clock& clock, Session& session, ExploreOptions options)
        : observer_(observer), worker_(worker), clock_(clock), session_(session), options_(std::move(options)) {}

    // After three failed runs in a row the best candidate runs again: if it scores, the failures were the candidates' own
    // and the search goes on; if it fails too, they were the machine's. Errors: interrupted (state is saved), unfit
    // (nothing to try here), io (three runs in a row failed and none scored here yet, or the best one failed too; a
    // fault of the machine), not_found (worker, data), and those of git and the disk. Being offline is none.
    Result<void> loop();

private:
    Result<void> prepare();
    Result<bool> worth_another(int done) const;
    Result<void> meet_others(bool first);
    Result<PlannedRun> begin_next();
    Result<void> update_history();
    Result<std::optional<ExploredRun>> explore_once();
    Result<ExploredRun> record(RunResult result);
    Result<void> check_failures();
    Result<void> propose_found();
    bool allowed_to_run();                      // asks at most every 30 s
    Result<bool> wait_until_allowed(int done);  // false: time ran out first
    RunHooks hooks(const PlannedRun& planned, const History& history);

    SearchObserver& observer_;
    Worker& worker_;
    const Clock& clock_;
    Session& session_;
    ExploreOptions options_;
    std::string category_;
    double budget_s_ = 0;
    std::unique_ptr<EnergyMeter> energy_;
    std::optional<ExternalProposer> proposer_;
    double started_s_ = 0, pulled_s_ = 0, asked_s_ = -1e9;
    bool allowed_ = true;
    int run_number_ = 0;
    std::optional<PlanningHistory> now_;  // grows with the runs, and is read again once anything else changes
    std::vector<ExploredRun> failures_in_a_row_;
    bool scored_here_ = false;  // some candidate may serve to test the machine
    bool control_ = false;      // the run under way tests it
};

}  // namespace cultivar
