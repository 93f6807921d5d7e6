// The loop of an exploration: plan, train, judge, record. One run at a time; killed at any point, the next start goes on.
// Several loops share a clone (cli/search/exploration.h). It prints nothing: a SearchObserver hears of it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/runs/run_execution.h"
#include "cli/runs/run_meter.h"
#include "cli/schedule/permission.h"
#include "cli/search/external_proposer.h"
#include "cli/search/meeting.h"
#include "cli/search/next_run.h"
#include "cli/search/run_quota.h"
#include "cli/search/wait_note.h"
#include "pool/process/group_time.h"

namespace cultivar {

struct ExploreOptions {
    std::optional<int> runs;      // ends after so many
    std::optional<double> for_s;  // starts no run after so much time
    // Starts no run that cannot end and be pushed by then, and stops with a checkpoint one that takes longer than expected.
    std::optional<std::int64_t> until_unix_s;
    std::optional<double> budget_s;  // else the pool's
    std::optional<std::uint64_t> seed;
    bool propose = false;  // pushes at the end, and every 30 minutes
    // Asked before each run and while it runs, whenever its last answer is too old; while it refuses, runs wait with
    // checkpoints. Thread-safe where there are jobs. None: always.
    std::function<Permission()> allowed;
    std::optional<ProposerOptions> proposer;
    EnergyPlaces energy_places = cultivar::energy_places();
};

// The part of an exploration that its loops share.
struct Exploration {
    const ExploreOptions options;
    const double started_s = 0;
    Meeting& meeting;
    RunQuota& quota;
    WaitTeller& waits;
    std::string category{};
    double budget_s = 0;
    SharedMachine machine{processor_s_of};  // of loops side by side
    std::mutex planning{};                  // one loop plans at a time; the lock of the clone is for other processes
    std::atomic<int> active = 1;            // loops that do not wait for others to bring something to try
    std::atomic<int> ended = 0;             // runs, and loops
    std::atomic<bool> told_end = false;     // that the time left is too short
};

class Explorer {
public:
    // All of them must outlive it.
    Explorer(SearchObserver& observer, Worker& worker, const Clock& clock, Session& session, Exploration& shared)
        : observer_(observer), worker_(worker), clock_(clock), session_(session), shared_(shared) {}

    // After three failed runs in a row the best candidate runs again: if it scores, the failures were the candidates' own
    // and the search goes on; if it fails too, they were the machine's. Errors: interrupted (state is saved), unfit
    // (nothing to try here, and no other loop will bring anything), io (three runs in a row failed and none scored here yet, or the best one failed too; a
    // fault of the machine), not_found (worker, data), and those of git and the disk. Being offline is none.
    Result<void> loop();

private:
    Result<void> run_all();
    void prepare_meter();
    Result<bool> worth_another();
    Result<bool> fits_in_time();
    Result<double> expected_run_s();
    double seconds_left() const;
    Result<void> take_folder();
    Result<PlannedRun> begin_next();
    Result<PlannedRun> plan_now();
    Result<void> update_history();
    Result<std::optional<ExploredRun>> explore_once();
    Result<PlannedRun> next_or_unfinished();
    Result<ExploredRun> record(RunResult result);
    Result<void> check_failures();
    bool allowed_to_run();
    void note_delay(PlannedRun& planned) const;
    Result<bool> wait_until_allowed();  // false: time ran out first
    RunHooks hooks(const PlannedRun& planned, const History& history);

    SearchObserver& observer_;
    Worker& worker_;
    const Clock& clock_;
    Session& session_;
    Exploration& shared_;
    std::unique_ptr<EnergyMeter> energy_;
    std::optional<ExternalProposer> proposer_;
    double asked_s_ = -1e9;
    Permission permission_{};
    double waited_s_ = 0;                 // of this loop so far, for permissions
    std::optional<int> number_;           // of the run that may begin or is under way
    std::optional<RunFolder> folder_;     // of the run under way
    std::optional<PlanningHistory> now_;  // grows with the runs, and is read again once anything else changes
    std::vector<ExploredRun> failures_in_a_row_;
    bool scored_here_ = false;  // some candidate may serve to test the machine
    bool control_ = false;      // the run under way tests it
};

}  // namespace cultivar
