// The expected cost of an audit here, in seconds: by the work of the claim's configuration, and the speed that this clone
// measured in its own verdicts, never by the claim's words alone. The work is that of the trainer's own reckoning: FLOPs of
// a token, and tokens of a step. Verdicts on configurations of about the same work count, whatever their category: it is
// this machine that does the work.
//
// Where nothing was measured yet, the speed of this machine's benchmark counts; and where that is not known either, the
// claim's words. Both count within bounds that the category's budget sets: the one is rough, the others are a stranger's.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/session/session.h"

namespace cultivar {

struct QueuedClaim;

// 0: unknown, because this trainer could not train it.
struct Workload {
    double forward_flops = 0;  // of a token
    double step_tokens = 0;
};
Workload workload_of(const Task& task, const std::string& toml);

struct MeasuredWork {
    double work = 0;  // in the unit of its list; 0: unknown
    double seconds = 0;
};
// The seconds that so much work takes, by the measurements that are nearest to it, newest first among equals; with a speed
// (work per second of this machine's benchmark), large work is taken for no slower than an eighth of that. None: nothing
// was measured.
std::optional<double> expected_seconds(const std::vector<MeasuredWork>& measured, double work, double speed = 0);

// Of a claim's jobs on this machine.
struct JobSeconds {
    double target = 0;      // scoring one target
    double step = 0;        // training one step; 0: unknown
    double seed = 0;        // one training with a fresh seed, from the start to its score
    bool measured = false;  // by this machine's own figures
};

class CostBook {
public:
    // One statement. Errors: those of the index.
    static Result<CostBook> of(Session& session);

    // Sets jobs, expected_s and rerun_s by the claim's plan. A claim that is not sound costs nothing.
    void estimate(const Task& task, bool hold_out, QueuedClaim& one) const;

private:
    JobSeconds jobs_of(const Task& task, const QueuedClaim& one) const;
    void estimate_command(const Task& task, bool hold_out, QueuedClaim& one) const;
    double replays_s(const QueuedClaim& one) const;

    std::vector<MeasuredWork> chunks_{}, steps_{};     // of the slice; of a replay; newest first
    std::vector<double> evaluations_s_{}, seeds_s_{};  // of a pool's own command: of its evaluator, of a run
    double flops_per_s_ = 0;                           // of training, by this machine's benchmark; 0: unknown
};

// The limit of a job that is expected to take so long, after this many vain tries.
double job_limit_s(const JobSeconds& jobs, double expected_s, int tries);

}  // namespace cultivar
