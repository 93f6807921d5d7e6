// The loop of an exploration: pull, plan, train, judge, record, share. One run at a time; killed at any point, the next
// start goes on.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "cli/app/context.h"
#include "cli/format/terminal_observer.h"
#include "cli/runs/run_execution.h"
#include "cli/search/external_proposer.h"

namespace cultivar {

struct ExploreOptions {
    std::optional<int> runs;
    std::optional<double> for_s;
    std::optional<double> budget_s;  // else the pool's
    std::optional<std::uint64_t> seed;
    bool propose = false;
    std::string while_command;
    std::optional<ProposerOptions> proposer;
};

class Explorer {
public:
    Explorer(Context& context, Worker& worker, Session& session, ExploreOptions options)
        : context_(context), observer_(context), worker_(worker), session_(session), options_(std::move(options)) {}

    // Calls `tell` after each run. Errors: interrupted (state is saved), unfit (nothing to try here), others as they
    // come.
    Result<void> loop(const std::function<void(const ExploredRun&)>& tell);

private:
    Result<void> prepare();
    Result<bool> worth_another(int done) const;
    Result<void> meet_others(bool first);
    Result<PlannedRun> begin_next();
    Result<std::optional<ExploredRun>> explore_once();
    Result<ExploredRun> record(RunResult result);
    Result<void> propose_found();
    bool allowed_to_run();                      // asks --while, at most every 30 s
    Result<bool> wait_until_allowed(int done);  // false: time ran out first
    RunHooks hooks(const PlannedRun& planned, const History& history);

    Context& context_;
    TerminalObserver observer_;
    Worker& worker_;
    Session& session_;
    ExploreOptions options_;
    SystemClock clock_;
    std::string category_;
    double budget_s_ = 0;
    std::unique_ptr<EnergyMeter> energy_;
    std::optional<ExternalProposer> proposer_;
    double started_s_ = 0, pulled_s_ = 0, asked_s_ = -1e9;
    bool allowed_ = true;
    int run_number_ = 0, failures_in_a_row_ = 0;
};

}  // namespace cultivar
