// The local index: everything the pool's refs and this clone's spool say, in SQLite. A cache: delete index.sqlite and
// it is rebuilt. It is updated from what is new; no git object is read twice.
//
// Tables hold what queries ask for; a record's bytes stay in git and are read again only where a person wants to see
// them. Standings and totals are worked out when something new came, so that looking costs the same in a pool of any
// size; when no ref and no spooled record changed, nothing is read at all.
//
// Records enter in the order they are met; a record that fails intake is kept with the reason it was refused for and
// counts nowhere. The last seen tips of journals and ledgers are also kept in <state>/seen/, outside the index: a log
// that was rewound or rewritten is refused even when the index was rebuilt.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pool/clone/clone.h"
#include "pool/index/rows.h"
#include "pool/lineage/candidate_commits.h"
#include "pool/rules/retirement.h"
#include "pool/util/sqlite.h"

namespace cultivar {

class LineageAhead;
struct AttributionInput;

inline constexpr int kKeptArtifacts = 10;  // the best of each category that stay once they are judged

// Brings the clone's index up to date in a process of its own (cli/reader), and gives what that found.
using Reader = std::function<Result<RefreshReport>()>;

class Index {
public:
    // Opens the clone's index and brings it up to date with refs and spool: what came by refs through `reader`, if there
    // is one, now and later. `clone` must outlive the index.
    static Result<Index> open(Clone& clone, const Reader& reader = {});
    // The same, read anew into memory; the index on disk stays as it is.
    static Result<Index> read_anew(Clone& clone);
    Result<RefreshReport> refresh();
    // What the refresh in open() found.
    const RefreshReport& opened_with() const { return report_; }

    // The full id that a prefix (4 digits or more) names among candidates and records. Errors: not_found, usage
    // (ambiguous, with the ids it may mean).
    Result<std::string> resolve_candidate(const std::string& prefix);
    Result<std::string> resolve_any(const std::string& prefix);

    // Best first within a category; rejected last; none that is retired. `most` rows of each category, 0: all.
    // `verified`: only what was accepted.
    Result<std::vector<Standing>> standings(const std::string& category = "", int most = 0, bool verified = false);
    // Leaving one claim aside, when that is being judged again.
    Result<std::optional<RecordHolder>> record_holder(const std::string& category, const std::string& but_claim = "");
    Result<std::map<std::string, int>> scored();  // candidates with a score, by category
    // Without a score in that category; the newest `most`, 0: all.
    Result<std::vector<Unfit>> unfit(int most = 0);
    Result<std::optional<CandidateRow>> candidate(const std::string& id);
    // In the order they became known; `only`: those named, if not null.
    Result<std::vector<CandidateRow>> candidates(const std::set<std::string>* only = nullptr);
    Result<std::int64_t> candidate_count();
    Result<std::vector<RunRow>> runs(const std::string& candidate = "");  // oldest first; "" = all, read from git
    // Newest first; a run that names a time still to come counts as of when it was first seen here.
    Result<std::vector<RunRow>> newest_runs(int count);
    // Of this clone, or scored again with an accepted verdict; oldest first.
    Result<std::vector<RunRow>> own_runs(const std::string& category);
    // What a plan is made from: the runs that count, oldest first, and how many there are of each candidate anywhere.
    Result<std::vector<RunSummary>> summaries(const std::string& category);
    // The newest scored runs of all other categories, oldest first; without what other writers said of a candidate after
    // this clone ran it in this one, which may be copied. `before`: only what was known before that record.
    Result<std::vector<OtherCategoryRun>> runs_elsewhere(const std::string& category, int most,
                                                         const std::string& before = "");
    Result<std::map<std::string, int>> run_counts();
    Result<std::set<std::string>> accepted_runs();  // those whose weights an accepted verdict scored again
    // For pool/archive: commits that the archive holds, and those found good that it does not hold yet.
    Result<std::set<Oid>> archived();
    // Artifacts whose claims are all judged, without the `keep` best accepted ones of each category.
    Result<std::set<std::string>> judged_artifacts(int keep);
    Result<std::set<std::string>> needed_artifacts();  // of claims that nobody judged, and of this clone's kept runs
    Result<bool> may_archive_candidate(const Oid& commit);
    Result<bool> may_archive_journal(const Oid& tip);
    Result<std::set<std::string>> kept_candidates();                          // with a branch, a claim or a kept run
    Result<std::map<std::string, Retired>> retired_candidates();              // pool/rules/retirement.h
    Result<std::set<std::string>> rejected_candidates();                      // with a rejected claim and no sound run
    Result<std::string> record_line(const std::string& id);                   // the record's bytes
    Result<std::vector<ClaimRow>> claims(const std::string& candidate = "");  // "" = all, read from git
    // What is odd about a claim beside everything else in the pool, a sentence each: figures or weights that are another
    // run's, seeds picked among many, more compute than the budget, runs that were rejected before. It proves no fraud:
    // such a claim is not accepted by scoring it again alone, only by fresh seeds (tier rerun). The answer is the same
    // for every reader of the same refs.
    Result<std::vector<std::string>> suspicions(const ClaimRow& row);
    Result<std::vector<ClaimRow>> pending_claims();  // those without a verdict that counts
    Result<std::map<std::string, int>> children();   // of candidates that others name as a parent: how many do
    // How many claims of each writer's key were accepted since the last one that was rejected; by writer. None for a
    // writer whose key is not known.
    Result<std::map<std::string, int>> valid_in_a_row();
    // Candidates with a kept run of this clone's in a category in which it has not claimed them, and not retired.
    Result<std::vector<std::string>> unclaimed();
    Result<std::vector<std::string>> claimed_artifacts();  // digests that claims of this clone name
    // Those still good now, of other writers: seen here for the first time less than 1.5 budgets ago, theirs or the
    // pool's, whichever is less.
    Result<std::vector<Lease>> leases();
    Result<int> replicates(const std::string& candidate);  // runs recorded so far, by anyone
    Result<Totals> totals();
    // Most credited first.
    Result<std::vector<Contributor>> contributors();

    Lineage& lineage() { return *lineage_; }
    // The commit of a candidate, made from the records where none is known yet; a seed becomes a root.
    Result<CandidateCommit> commit_of(const std::string& candidate_id, int depth = 0);

private:
    Index(Clone& clone, Database database)
        : clone_(&clone),
          db_(std::make_unique<Database>(std::move(database))),
          lineage_(std::make_unique<Lineage>(clone.repo, clone.task, db_.get())) {}

    // index.cpp: when to look, and at what
    Result<void> prepare_schema();
    Result<std::string> stamp(const std::vector<Ref>& refs) const;
    Result<bool> holds(const char* key, const std::string& value);
    Result<bool> read_elsewhere(std::vector<Ref>& refs, RefreshReport& report);
    Result<void> take_everything(const std::vector<Ref>& refs, RefreshReport& report);

    // index_intake.cpp, index_logs.cpp, index_records.cpp: from refs and spool into tables
    struct Log;
    struct Carried {  // a candidate's commit that a bundle carries
        Oid commit;
        std::string ref;
        bool archived = false;
    };
    struct RecordChecks;
    Result<void> take_logs(const std::vector<Ref>& refs, RefreshReport& report);
    Result<std::vector<Log>> logs_of(const std::vector<Ref>& refs, bool ledger);
    Result<std::unique_ptr<LineageAhead>> check_ahead(const std::vector<Ref>& refs);
    Result<void> take_bundles(const Ref& ref, RecordChecks& intake);
    Result<void> take_artifact(const Oid& commit);
    Result<void> forget_verdicts_of_other_roots(RefreshReport& report);
    Result<void> take_spool(RefreshReport& report);

    // index_commits.cpp
    struct Commits;
    Result<void> take_candidates(const std::vector<Ref>& branches, const std::vector<Carried>& carried,
                                 RefreshReport& report);

    // index_derive.cpp: what follows from the tables
    const char* concerned() const;  // the records of the candidates that something new concerns
    Result<void> apply_rejections();
    Result<void> derive_standings();
    Result<void> derive_verdicts();
    Result<void> derive_retired();
    Result<void> keep_to_vouched(const std::string& candidate, const std::string& category);
    Result<void> derive_totals();
    Result<void> count_again();  // records were taken back: totals from all that are left

    Result<std::string> resolve(const std::string& prefix, const char* sql, const char* what);
    Result<std::vector<RunRow>> read_runs(Statement& get);
    Result<std::vector<ClaimRow>> read_claims(Statement& get);
    // Of a claim's own runs, one a seed, the worst of each.
    Result<std::vector<double>> claim_scores(const std::string& claim);

    Result<void> credit_finds(AttributionInput& kinship, std::map<std::string, Contributor>& by_key);

    // index_suspicion.cpp
    Result<std::optional<Run>> run_of(const std::string& id);
    Result<void> suspect_seeds(const ClaimRow& row, std::vector<std::string>& found);
    Result<void> suspect_copy(const std::string& id, const Run& run, std::vector<std::string>& found);
    Result<void> suspect_pace(const std::string& id, const Run& run, std::vector<std::string>& found);
    Result<void> suspect_claims(const ClaimRow& row, std::vector<std::string>& found);

    Clone* clone_;
    std::unique_ptr<Database> db_;  // stays where it is: the lineage points to it
    std::unique_ptr<Lineage> lineage_;
    std::map<std::string, Oid> made_;  // commits that commit_of() made since the last refresh, by candidate
    RefreshReport report_;
    Reader reader_;
    bool is_new_ = false;  // its tables were empty when this refresh began
};

}  // namespace cultivar
