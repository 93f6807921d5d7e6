// Records: the lines of a journal, one JSON object each. Format 1.
//
// A record is its bytes: one line of UTF-8 JSON without the line feed, at most 256 KiB. Its id is the SHA-256 of those
// bytes, 64 hex digits. Every record begins with {"v":1,"type":T,...}; a reader that meets a larger v stops and says
// so; unknown fields are kept in the bytes and otherwise left alone; fields never disappear, an absent figure is null
// (those that came after the first records, energy.train_joules, .slot_s and .domains, proposer.name, .seconds, .refused
// and .joules with its range and method, by_hand, failure, metrics, sandbox, and a lease's toml and parents, are left out instead, so that those keep their bytes).
// Times are UTC, "2026-11-21T03:40:00Z". Figures carry their unit in their name.
//
//   run      one timed training of one candidate (struct Run below)
//   claim    "this candidate improves on its parents": candidate, its canonical TOML, parents, category, runs (ids),
//            val_bpb (mean over those runs), artifact (digest of one of them), writer, at
//   lease    "a run of this is under way": candidate, category, budget_s, replicate, writer, at, and with its toml and
//            parents the candidate itself, so that others do not try the same; good for 1.5 budgets
//   retirement  "explore no further from this" or, with retired false, "do again": candidate, retired, reason, writer,
//            at. pool/rules/retirement.h says which of them count
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pool/types/energy.h"
#include "pool/types/use_cost.h"
#include "pool/util/result.h"
#include "pool/util/utc_time.h"

namespace cultivar {

inline constexpr int kRecordVersion = 1;
inline constexpr std::size_t kMaxRecordBytes = 256 * 1024;
inline constexpr int kTraceSteps = 32;        // K: a run records the clock and the loss of so many first steps
inline constexpr int kScoreChunks = 64;       // the validation slice in equal parts, by target position
inline constexpr double kClockTick_s = 1e-4;  // the unit of a run's own clock

// How a run ended. Written by name; existing names never change their meaning.
enum class RunStatus {
    done,     // trained for its budget and scored
    stopped,  // hopeless by its partial curve; has no score, but the value its curve pointed to
    failed,   // the worker died, hung, diverged or lied
    unfit,    // cannot be judged here: a step does not fit the budget, the model not the machine or the pool's caps
};

// The decision of bandit/policy/keep_test.h when the run was recorded.
enum class Decision { kept, reverted, undecided, none };

// The fault behind a failed run. Written by name; a reader takes a name that it does not know for unknown.
enum class FailureKind {
    unknown,    // it hung, was told as failed, or the record is older than this field
    candidate,  // the program left with an exit code of its own, diverged or broke a limit; or a signal ended it twice
    machine,    // disk, device, library, a signal: holds nothing against the candidate. cultivar records no such run
};

// How a pool's command failed. Written by name; a reader takes a name that it does not know for unknown.
enum class FailureCause {
    unknown,  // also of the built-in trainer, and in records that are older than this field
    exit_code,
    signal,
    time,  // it ran into its limit
    no_score,
    several_scores,
    not_finite,  // the score is NaN or infinite
    unreadable,  // the score is no number
    output,      // it wrote more than its limit
    checks,      // it ended well, and the command of `checks` did not
    artifact,    // it left none that the pool's evaluator could read
    evaluator,   // its artifact got no score
};

std::string_view name(FailureKind kind);
std::string_view name(FailureCause cause);
std::string_view name(RunStatus status);
std::string_view name(Decision decision);

// The energy of the call of an external proposer.
struct ProposerEnergy {
    double joules = 0;
    double low = 0, high = 0;  // the true value is expected between them
    std::string method;        // "declared" by the proposer, or "estimated" from its tokens
};

struct CurvePoint {
    double elapsed_s = 0;
    std::int64_t step = 0;
    double train_loss = 0;  // nats a token, mean since the point before
};

struct Run {
    std::string task;                  // task id
    std::string candidate;             // id
    std::string toml;                  // the candidate's canonical bytes
    std::vector<std::string> parents;  // candidate ids, 0 to 2
    std::string category;              // "cpu-600s-e11"
    double budget_s = 0;
    int replicate = 0;
    std::uint64_t seed = 0;
    RunStatus status = RunStatus::failed;
    Decision decision = Decision::none;
    std::string reason;                          // why this decision, or the failure; one line
    FailureKind failure = FailureKind::unknown;  // of a failed run
    FailureCause cause = FailureCause::unknown;  // of a failed run
    std::string failed_worker;  // of a failed run: SHA-256 of the worker's program or of the command; "": not known
    std::string operator_name;  // "seed", "replicate", "tune", "switch", "cross", "import", "proposer", "proposer:NAME"
    std::string choice;         // why this run was chosen, for people; one line
    bool by_hand = false;       // a person made this cross or import here, so that no planner chose the run

    std::int64_t steps = 0;
    std::int64_t tokens = 0;              // trained on
    double train_s = 0;                   // on the run's own clock
    double train_wall_s = 0;              // wall time meanwhile; 0: unknown
    double wall_s = 0;                    // start-up, scoring and all
    std::vector<double> trace_elapsed_s;  // the clock before each of the first K steps
    std::vector<double> trace_loss;       // nats a token, of each of the first K steps
    std::vector<CurvePoint> curve;        // at most 64 points
    std::vector<double> chunk_loss_sums;  // kScoreChunks sums in nats, or empty
    std::optional<double> val_loss;       // nats a token; none of a command's run
    std::optional<double> val_bpb;        // of a command's run: its score, whatever that counts
    std::optional<double> expected_bpb;   // stopped runs: the score that the curve pointed to
    std::string artifact;                 // SHA-256, or ""
    std::int64_t artifact_bytes = 0;
    std::int64_t parameters = 0;
    double flops_per_token = 0;  // forward
    std::string started, ended;  // UTC
    std::string writer;
    Energy energy;
    std::string zone;  // electricity grid, or ""
    std::optional<std::int64_t> network_bytes;
    // The cost of an external proposer that was asked before this run, whether the run became its proposal or not.
    std::string proposer;          // the name of its operator, or "": none was asked
    std::string proposer_refused;  // why its answer was not used, or ""; one line
    double proposer_seconds = 0;   // until it had answered or was given up
    std::optional<std::int64_t> proposer_tokens;
    std::optional<double> proposer_usd;
    std::optional<ProposerEnergy> proposer_energy{};
    std::string trainer;                    // "cultivar-lm 0.1.0 torch 1.13.1 threads 2"
    bool unsandboxed = false;               // of a command's run: it ran with all rights of its user
    std::map<std::string, double> metrics;  // of a command's run: five at most, beside its score
};

struct Claim {
    std::string task;
    std::string candidate;
    std::string toml;
    std::vector<std::string> parents;
    std::string category;
    std::vector<std::string> runs;  // record ids
    double val_bpb = 0;
    std::string artifact;      // "": pool/rules/record_checks.h: may_lack_artifact()
    std::string artifact_run;  // the run the artifact came from; without one, the claim's last run
    std::string writer;
    std::string at;
};

struct Lease {
    std::string task;
    std::string candidate;
    std::string category;
    double budget_s = 0;
    int replicate = 0;
    std::string writer;
    std::string at;
    std::string toml{};                  // the candidate's canonical bytes; "" in older leases, or all defaults
    std::vector<std::string> parents{};  // candidate ids
};

struct Retirement {
    std::string task;
    std::string candidate;
    bool retired = true;
    std::string reason;  // one line
    std::string writer;
    std::string at;
};

using Record = std::variant<Run, Claim, Lease, Retirement>;

// Parameters, forward FLOPs and joules a token, as far as the record knows them.
UseCost use_cost(const Run& run);

// The figures of a run as precise as they are worth keeping, which halves a record: times to the tick of the run's
// clock (those of the curve to 1 ms), losses of the trace to 7 significant digits, of the curve to 5, of the chunks to
// 8.
void round_figures(Run& run);

// One line without the line feed.
std::string to_line(const Record& record);
// Errors: corrupt (its message says why), newer. Figures must be finite and in range.
Result<Record> parse_line(std::string_view line);
// Runs and plans from before "by_hand" say it in the text of their choice alone.
bool by_hand_in(std::string_view choice);
std::string record_id(std::string_view line);

}  // namespace cultivar
