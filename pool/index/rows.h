// The answers of the index as plain structs, and the report of a refresh.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pool/git/repository.h"
#include "pool/types/record.h"
#include "pool/types/use_cost.h"
#include "pool/types/verdict.h"

namespace cultivar {

struct Refusal {
    std::string where;  // ref or record
    std::string reason;
};

// The report of a refresh. It passes through a pipe, so strangers must not make it long.
struct RefreshReport {
    static constexpr std::size_t kMostRefusals = 2000;

    int runs = 0, claims = 0, candidates = 0, verdicts = 0, contributors = 0, retirements = 0;
    int leases = 0;        // without their run
    int proposals = 0;     // from extra remotes (pool/storage/bundle.h)
    int archived = 0;      // candidates that are new in the archive
    int other_task = 0;    // runs of another task, such as of an earlier one: they do not count
    int more_refused = 0;  // beyond those in `refused`
    std::vector<Refusal> refused;
    std::string leased;    // the candidate of the newest lease that this process itself took in
    bool changed = false;  // the index was behind, whether or not anything of the above came

    void refuse(std::string where, std::string reason) {
        if (refused.size() < kMostRefusals)
            refused.push_back({std::move(where), std::move(reason)});
        else
            ++more_refused;
    }
};
// Its counts by their names, for the report of the sandboxed reader.
inline constexpr std::pair<const char*, int RefreshReport::*> kReportCounts[] = {
    {"runs", &RefreshReport::runs},
    {"candidates", &RefreshReport::candidates},
    {"claims", &RefreshReport::claims},
    {"verdicts", &RefreshReport::verdicts},
    {"contributors", &RefreshReport::contributors},
    {"retirements", &RefreshReport::retirements},
    {"leases", &RefreshReport::leases},
    {"proposals", &RefreshReport::proposals},
    {"archived", &RefreshReport::archived},
    {"of_other_tasks", &RefreshReport::other_task},
    {"more_refused", &RefreshReport::more_refused},
};

struct RunRow {
    std::string id;
    Run run;
    bool refused = false;  // failed its checks, or its claim was rejected
    std::string why_refused;
    std::string
        source;  // where it came from: "archive", a source's name (pool/storage/extra_remote.h), or "" for the pool itself
};

// The fields of a run that the search uses.
struct RunSummary {
    std::string id, writer, candidate, operator_name;
    RunStatus status = RunStatus::done;
    Decision decision = Decision::none;
    double score = 0;  // done: val_bpb; stopped: expected_bpb
    double budget_s = 0;
    std::int64_t steps = 0;
    std::vector<std::string> parents;
    double wall_s = 0;
    std::string proposer;  // asked before this run, as its record says
    double proposer_seconds = 0, proposer_usd = 0;
    int replicate = 0;
    bool accepted = false;       // an accepted verdict scored its weights again
    bool of_proven_key = false;  // its writer has verified runs, or is a verifier
};

// Weights that a verifier scored on the slice.
struct KnownWeights {
    std::string claim, candidate, toml, artifact;
    double slice_bpb = 0;
};

// A claim with weights that a verifier scored.
struct VouchedClaim {
    std::string id, writer, candidate, toml;
};

struct OtherCategoryRun {
    std::string id, writer, candidate, category;
    double score = 0;
    bool accepted = false;  // an accepted verdict scored its weights again
};

struct ClaimRow {
    std::string id;
    Claim claim;
    std::string key;                 // fingerprint of its writer's key; "": no log told it
    std::int64_t seq = 0;            // in the order in which this clone took the records
    std::int64_t seen_s = 0;         // when this clone first saw it, unix time
    bool repeats = false;            // each of its runs was claimed by an earlier claim of its key
    std::string problem;             // the reason why it does not count; "": none
    std::optional<Verdict> verdict;  // the newest that counts
};

// A claim with a verdict that counts.
struct JudgedClaim {
    std::string claim, key;  // record id; fingerprint of its writer's key
    VerdictResult result = VerdictResult::inconclusive;
    std::string at;       // of its newest verdict
    double seconds = 0;   // of all its verdicts
    double budget_s = 0;  // the least of its runs
    bool fresh =
        false;  // accepted, with an original run (pool/index/original_runs.h) that no accepted claim of the key
                // before it names
};

// This clone's own verdicts on a claim that decided nothing, or whose rerun failed.
struct Attempts {
    int count = 0;
    std::string last_at;
};

struct OwnVerdict {
    std::string toml;  // of its candidate
    Verdict verdict;
};

// A candidate in one category.
struct Standing {
    std::string candidate, category;
    int runs = 0;        // scored and not refused
    double val_bpb = 0;  // the mean of its fresh seeds, where verifiers trained it; else the mean over those runs; of
                         // a rejected candidate, the claimed mean; of an accepted one, the mean over the runs of its
                         // accepted claims, but no better than their verified scores
    bool kept = false;
    // "accepted", "provisional", "scored" (pool/types/audit.h: Certainty), "rejected" (no run counts), "inconclusive",
    // "pending" (claimed), "" (not claimed)
    std::string verdict;
    bool record = false;      // accepted as one by a verdict that counts
    int fresh_seeds = 0;      // with which verifiers trained it here (pool/types/verdict.h: reruns)
    std::string contributor;  // writer of the first run here
    UseCost cost;             // parameters and FLOPs of that run; joules per token: mean over the runs that count
};

// A category with scored candidates.
struct CategoryRow {
    std::string name;
    int scored = 0;         // candidates
    bool own = false;       // has a scored run of this clone
    bool verified = false;  // has an accepted candidate
};

// The record of a category: the best claim that was accepted as one.
struct RecordHolder {
    std::string claim, candidate;
    std::vector<double>
        scores;  // one per seed: of its verdict's reruns, or of its own runs if an older verdict has none
};

// A candidate that cannot be judged in a category, the reason, and who says so.
struct Unfit {
    std::string candidate, category, reason, writer;
};

// A candidate for a plan: its content, and its state over all categories.
struct PlanCandidate {
    std::string id, toml;
    std::vector<std::string> parents;  // candidate ids
    bool kept = false;                 // has a branch, a claim or a kept run; a rejected claim recommends nothing
    bool rejected =
        false;  // fresh seeds of a verifier refuted a claim of it and are worse than most of its category, and
                // no scored run counts
    bool retired = false;  // pool/rules/retirement.h
    bool retired_by_keepers = false;
    int runs = 0;  // those that count
};

struct CandidateRow {
    std::string id, toml;
    std::vector<std::string> parents;  // candidate ids
    std::vector<Oid> commits;          // none: no branch or commit known yet
};

// The work of one key, under all its writers' names: standing belongs to keys.
struct Contributor {
    std::string key;                   // fingerprint; the writer's name if the log does not tell the key
    std::vector<std::string> writers;  // sorted
    int runs = 0, claims = 0, valid = 0, rejected = 0;
    int valid_in_a_row = 0;                    // by the verdicts' times, since the last rejected one
    double gain_found = 0, gain_credited = 0;  // pool/rules/attribution.h
    double joules = 0, most_joules = 0;        // of its runs, and as many as they may be
};

// The energy of runs and verdicts of one kind. They differ in no other way.
struct EnergyGroup {
    std::int64_t id = 0;
    std::string writer, key;              // key: fingerprint, or the writer's name if no log tells it
    std::string category, operator_name;  // "" of a verdict
    std::string line;  // "search", "failed" (unfit too), "stopped", "verification", "proposer", "network"
    std::string zone, method;
    bool is_spread = false;  // the record tells no slots: its joules are spread over its time
};

// Joules of one run or verdict in one slot of time, with their bounds.
struct EnergyPart {
    bool is_verdict = false;
    std::int64_t owner = 0, group = 0;  // number of the run or verdict; EnergyGroup::id
    std::int64_t start_s = 0, length_s = 0;
    double seconds = 0;
    double above = 0, above_low = 0, above_high = 0, gross = 0, gross_low = 0, gross_high = 0;
    bool gross_known = true;
    std::int64_t bytes = 0;  // of line "network"
};

struct EnergyOwner {
    bool is_verdict = false;
    std::int64_t owner = 0;
    std::string id, candidate, category;
};

// A run that counts, for a comparison of energy. Its verdicts are those on claims that end with it.
struct SpentRow {
    std::int64_t run = 0;  // EnergyPart::owner
    std::string writer, key, category;
    std::string at;  // its end
    double wall_s = 0;
    double training_flops = 0;              // 0 also of a command's run, which does not tell
    std::optional<double> verified_loss{};  // of the candidate, where a claim that stands ends with this run
    std::vector<std::int64_t> verdicts{};   // EnergyPart::owner
};

// Of a category: the best score of a candidate without parents, and the best accepted one, which is better.
struct VerifiedImprovement {
    std::string category;
    double seed = 0, best = 0;
};

struct Totals {
    int runs = 0, done = 0, kept = 0, failed = 0, unfit = 0, stopped = 0, claims = 0, pending = 0, accepted = 0,
        provisional = 0, scored = 0, rejected = 0, candidates = 0, contributors = 0, refused = 0, spooled = 0;
    int other_task = 0;  // runs of another task, such as of an earlier one; not among `refused`
    double search_s = 0, search_joules = 0, verify_s = 0, verify_joules = 0;
    double search_most_joules = 0, verify_most_joules = 0;  // as many as they may be, by the errors of their methods
    double paying_s =
        0;  // of the search, the seconds that verification has its share of (pool/index/derived_tables.cpp)
};

}  // namespace cultivar
