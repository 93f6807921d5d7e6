// The local index: everything the pool's refs and this clone's spool say, in SQLite. A cache: delete index.sqlite and
// it is rebuilt. It is updated from what is new; no git object is read twice.
//
// Records enter in the order they are met; a record that fails intake is kept with the reason it was refused for and
// counts nowhere. The last seen tips of journals and ledgers are also kept in <state>/tips, outside the index: a log
// that was rewound or rewritten is refused even when the index was rebuilt.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pool/clone.h"
#include "pool/lineage.h"
#include "pool/record.h"
#include "pool/sqlite.h"
#include "pool/verdict.h"

namespace cultivar {

struct Refusal {
    std::string where;  // ref or record
    std::string reason;
};

struct RefreshReport {
    int runs = 0, claims = 0, candidates = 0, verdicts = 0, contributors = 0;
    std::vector<Refusal> refused;
};

struct RunRow {
    std::string id;
    Run run;
    bool refused = false;  // failed intake, or its claim was rejected
    std::string why_refused;
};

struct ClaimRow {
    std::string id;
    Claim claim;
    std::string problem;             // what intake found wrong, or ""
    std::optional<Verdict> verdict;  // the newest that counts
};

// A candidate in one category.
struct Standing {
    std::string candidate, category;
    int runs = 0;        // scored and not refused
    double val_bpb = 0;  // mean over those runs; of a rejected candidate, what was claimed; of an accepted one, the
                         // mean over the runs of its accepted claims, but no better than what was scored again
    bool kept = false;
    std::string verdict;      // "accepted", "rejected", "inconclusive", "pending" (claimed), "" (not claimed)
    std::string contributor;  // writer of the first run here
    UseCost cost;             // parameters and FLOPs of that run; joules a token: the mean over the runs that count
};

// A candidate that cannot be judged in a category, and why.
struct Unfit {
    std::string candidate, category, reason;
};

struct CandidateRow {
    std::string id, toml;
    std::vector<std::string> parents;  // candidate ids
    std::vector<Oid> commits;          // none: no branch or commit known yet
};

struct Totals {
    int runs = 0, done = 0, kept = 0, failed = 0, unfit = 0, stopped = 0, claims = 0, pending = 0, accepted = 0,
        rejected = 0, candidates = 0, contributors = 0, refused = 0, spooled = 0;
    double search_s = 0, search_joules = 0, verify_s = 0, verify_joules = 0;
};

class Index {
public:
    // Opens the clone's index and brings it up to date with refs and spool. `clone` must outlive the index.
    static Result<Index> open(Clone& clone);
    Result<RefreshReport> refresh();
    // What the refresh in open() found.
    const RefreshReport& opened_with() const { return report_; }

    // The full id that a prefix (4 digits or more) names among candidates and records. Errors: not_found, usage
    // (ambiguous, with the ids it may mean).
    Result<std::string> resolve_candidate(const std::string& prefix);
    Result<std::string> resolve_any(const std::string& prefix);

    Result<std::vector<Standing>> standings();  // best first within a category; rejected last
    Result<std::vector<Unfit>> unfit();         // without a score in that category
    Result<std::optional<CandidateRow>> candidate(const std::string& id);
    Result<std::vector<CandidateRow>> candidates();                       // in the order they became known
    Result<std::vector<RunRow>> runs(const std::string& candidate = "");  // oldest first; "" = all
    Result<std::vector<RunRow>> newest_runs(int count);                   // newest first
    Result<std::string> record_line(const std::string& id);               // the record's bytes
    Result<std::vector<ClaimRow>> claims(const std::string& candidate = "");
    Result<std::vector<Lease>> leases();                   // those still good now, of other writers
    Result<int> replicates(const std::string& candidate);  // runs recorded so far, by anyone
    Result<Totals> totals();

    Lineage& lineage() { return *lineage_; }
    // The commit of a candidate, made from the records where none is known yet; a seed becomes a root.
    Result<CandidateCommit> commit_of(const std::string& candidate_id, int depth = 0);

private:
    Index(Clone& clone, Database database)
        : clone_(&clone), db_(std::move(database)), lineage_(std::make_unique<Lineage>(clone.repo, clone.task)) {}

    struct LogSource;
    Result<void> prepare_schema();
    Result<void> refresh_logs(RefreshReport& report);
    Result<void> check_log(const LogSource& source, const Oid& seen, std::size_t seen_records);
    Result<void> refresh_log(const LogSource& source, RefreshReport& report);
    Result<void> refresh_spool(RefreshReport& report);
    Result<void> refresh_branches(RefreshReport& report);
    Result<void> take_line(const std::string& line, const std::string& writer, RefreshReport& report);
    Result<void> take_verdict(const std::string& line, const std::string& verifier, RefreshReport& report);
    Result<bool> take_candidate(const std::string& id, const std::string& toml,
                                const std::vector<std::string>& parents);
    Result<void> take_commit(const Oid& oid, RefreshReport& report);
    Result<void> take_refused_branch(const Ref& ref, const std::string& reason, RefreshReport& report);
    Result<void> apply_rejections();
    Result<void> keep_to_vouched(const std::vector<ClaimRow>& claims, Standing& standing);
    Result<std::string> resolve(const std::string& prefix, const char* sql, const char* what);

    Clone* clone_;
    Database db_;
    std::unique_ptr<Lineage> lineage_;
    std::map<std::string, Oid> made_;  // commits that commit_of() made since the last refresh, by candidate
    RefreshReport report_;
};

}  // namespace cultivar
