// The questions that the index answers. Every answer is a pure function of refs, spool and main's trust roots, except
// leases(), which also depends on the clock.
//
// A query costs one statement unless its comment says otherwise. Records are read from git where the answer holds whole
// records (runs, claims, leases); all else comes from the tables. Errors: io, busy, corrupt (a damaged index or git object).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pool/index/index_database.h"
#include "pool/index/rows.h"
#include "pool/rules/retirement.h"

namespace cultivar {

struct AttributionInput;

class IndexQueries {
public:
    explicit IndexQueries(IndexDatabase& database) : database_(&database) {}

    // candidate_queries.cpp

    // The full id that a prefix (4 digits or more) names among candidates, or among candidates and records. Errors:
    // not_found, usage (ambiguous; the message lists the ids it may mean).
    Result<std::string> resolve_candidate(const std::string& prefix);
    Result<std::string> resolve_any(const std::string& prefix);
    Result<std::optional<CandidateRow>> candidate(const std::string& id);
    // In the order in which they became known; `only`: those named, if not null.
    Result<std::vector<CandidateRow>> candidates(const std::set<std::string>* only = nullptr);
    Result<std::int64_t> candidate_count();
    // The same for a plan, with their states; without commits.
    Result<std::vector<PlanCandidate>> plan_candidates(const std::set<std::string>* only = nullptr);
    // A number that differs once another connection, of this or another process, has written to the index.
    Result<std::int64_t> version();
    Result<std::map<std::string, Retired>> retired_candidates();  // pool/rules/retirement.h
    Result<std::map<std::string, int>>
    children();  // of parents: how many candidates that this clone or a verifier scored name it
    // Candidates with a kept run of this clone in a category in which it has not claimed them, and not retired.
    Result<std::vector<std::string>> unclaimed();

    // run_queries.cpp

    Result<std::vector<RunRow>> runs(const std::string& candidate = "");  // oldest first; "": of all candidates
    Result<std::vector<RunRow>> claimed_runs(const std::string& claim);   // those that the claim names, oldest first
    // Newest first; a run that names a time in the future counts as of when this clone first saw it.
    Result<std::vector<RunRow>> newest_runs(int count);
    // The newest first seen, newest first, and none that is refused or rejected: runs of this clone or with an accepted
    // verdict; and those of others, at most `most` of each writer.
    Result<std::vector<RunRow>> newest_own_runs(const std::string& category, int count);
    Result<std::vector<RunSummary>> newest_foreign_runs(const std::string& category, int count, int most);
    // Those of this clone, or scored again with an accepted verdict, that have steps or failed; oldest first.
    Result<std::vector<RunRow>> own_curves_and_failures(const std::string& category);
    // The runs that count, oldest first.
    Result<std::vector<RunSummary>> summaries(const std::string& category);
    Result<int> replicates(const std::string& candidate);    // runs recorded so far, by anyone
    Result<bool> ran_here(const std::string& candidate);     // is a run of it this clone's, or accepted?
    Result<std::string> record_line(const std::string& id);  // the record's bytes. Errors: not_found
    // Leases of other writers that are still good: first seen here less than 1.5 budgets ago (the lease's or the pool's,
    // whichever is less), not followed by their run, and among the first three of their candidate in their category.
    Result<std::vector<Lease>> leases();

    // other_category_queries.cpp

    // The newest `most` scored runs of all other categories, this clone's and accepted ones before others; oldest first; without runs of a candidate that other
    // writers published after this clone ran it in `category`, because those may be copied. `before`: only runs that
    // were known before that record. Two statements where the pool has another category.
    Result<std::vector<OtherCategoryRun>> runs_elsewhere(const std::string& category, int most,
                                                         const std::string& before = "");

    // energy_queries.cpp: the energy of all runs and verdicts that count

    Result<std::vector<EnergyGroup>> energy_groups();
    Result<void> each_energy(const std::function<void(const EnergyPart&)>& take);
    Result<std::vector<EnergyOwner>> energy_owners(bool verdicts_alone);
    Result<std::vector<std::int64_t>> rejected_runs();  // numbers as in EnergyPart::owner
    Result<std::vector<VerifiedImprovement>> verified_improvements();
    // By their ends. A claim ends with the last of its runs. Three statements.
    Result<std::vector<SpentRow>> spent_runs();

    // standing_queries.cpp

    // Best first within a category; rejected last; none that is retired. `most` rows of each category, 0: all.
    // `verified`: only accepted ones. A statement per category.
    Result<std::vector<Standing>> standings(const std::string& category = "", int most = 0, bool verified = false);
    // The deviation of one run's score, from the runs of the category's best replicated candidates; none where no
    // candidate was scored twice.
    Result<std::optional<double>> noise(const std::string& category);
    Result<std::map<std::string, int>> scored();  // candidates with a score, by category
    // The same with more of each: those of this clone first, then those with an accepted candidate, then the others in the
    // order in which they became known: whoever invents categories comes late. Reads every run.
    Result<std::vector<CategoryRow>> categories();
    // Candidates without a score in that category; the newest `most`, 0: all.
    Result<std::vector<Unfit>> unfit(int most = 0);
    // `but_claim` is left out: it is being judged again.
    Result<std::optional<RecordHolder>> record_holder(const std::string& category, const std::string& but_claim = "");
    Result<Totals> totals();

    // rerun_queries.cpp

    // The fresh seeds of every candidate in a category, by candidate: each seed once, in the order in which they came to be
    // known, from all verdicts that a verifier gave on another's claim, replaced ones too.
    Result<std::map<std::string, std::vector<Rerun>>> reruns(const std::string& category);
    // Did this clone meet the claim only after its own verdicts had told fresh seeds of the candidate in the category?
    Result<bool> saw_after_own_reruns(const ClaimRow& row);
    // Their scores in all categories, by category and candidate.
    Result<std::map<std::pair<std::string, std::string>, std::vector<double>>> fresh_seed_scores();
    // Claims that a verifier scored and nobody could replay; oldest first. `most`: as pending_claims().
    Result<std::vector<ClaimRow>> scored_claims(int most = 0);
    // Vouched claims with a verdict that tells no gap to a hold-out; oldest first. `most`: as pending_claims().
    Result<std::vector<ClaimRow>> claims_without_gap(int most = 0);
    // Of this clone's own scored runs, by candidate; oldest first.
    Result<std::map<std::string, std::vector<double>>> own_scores(const std::string& category);

    // origin_queries.cpp

    // The scored runs of other keys, in any category, with scores within this share of its own, the nearest first; without
    // runs of its own candidate, replicate and budget, whose weights are alike.
    //   vouched  those of this clone and of artifacts that a verifier scored
    //   before   those that may be its original: seen here before it, or by the same pull and claimed too, or this clone's.
    //            A later copy says nothing against it
    enum class Others { vouched, before };
    Result<std::vector<RunRow>> runs_of_others(const RunRow& run, Others which, double within, int most);
    // Claims of other candidates and keys in this claim's category, seen here before anything of its writer's on its
    // candidate, with weights that a verifier scored; oldest first.
    Result<std::vector<VouchedClaim>> vouched_before(const ClaimRow& row);
    // Of every candidate, of its newest claim that stands; newest first.
    Result<std::vector<KnownWeights>> known_weights();

    // claim_queries.cpp, suspicion_queries.cpp

    Result<std::vector<ClaimRow>> claims(const std::string& candidate = "");  // oldest first; "": of all candidates
    Result<std::vector<ClaimRow>> accepted_claims(
        const std::string& candidate);  // by their newest verdicts; oldest first
    // Those without a verdict that counts, oldest first. `most` of each key, 0: all; its categories take turns, each with
    // its best claims first.
    Result<std::vector<ClaimRow>> pending_claims(int most = 0);
    // The oddities of a claim beside the rest of the pool, a sentence each: figures or weights that another run has, seeds
    // picked among many, more compute than the budget, runs that were rejected before. They prove no fraud and are
    // no verdict: such a claim is audited in full, and owes a rerun until one was made. Some ten statements per run.
    Result<std::vector<std::string>> suspicions(const ClaimRow& row);

    // judged_queries.cpp

    // Claims that no verdict accepts as it stands: not judged, rejected, inconclusive, or only scored, unless a score is all
    // that can be checked (of a pool's own command).
    Result<std::set<std::string>> unsettled_claims();
    // In the order of their newest verdicts; what was only scored is inconclusive here. A statement per accepted claim.
    Result<std::vector<JudgedClaim>> judged_claims();
    // Judged, but to nothing or with a rerun that waits; oldest first. `most`: as above.
    Result<std::vector<ClaimRow>> open_claims(int most = 0);
    Result<std::map<std::string, Attempts>> own_attempts();  // by claim
    Result<std::vector<OwnVerdict>> own_verdicts(int most);  // newest first
    // The claim of the same candidate and category by another key that this clone saw before this one, if it was not
    // rejected; "": none.
    Result<std::string> first_claim(const ClaimRow& row);

    // contributor_queries.cpp

    Result<std::vector<Contributor>> contributors();  // most credited first

    // Refs of this clone's remote of which nothing is good: refused and never seen otherwise, or full of rubbish without a
    // good record.
    Result<std::set<std::string>> worthless_refs();

    // archive_queries.cpp

    Result<std::set<Oid>> archived();  // commits that the archive holds
    // Is it good, and not in the archive yet?
    Result<bool> may_archive_candidate(const Oid& commit);
    Result<bool> may_archive_journal(const Oid& tip);
    // Artifacts of judged claims alone, without the `keep` best accepted ones of each category.
    Result<std::set<std::string>> judged_artifacts(int keep);
    Result<std::set<std::string>> needed_artifacts();  // of claims that are not settled, and of this clone's kept runs
    Result<std::vector<std::string>> claimed_artifacts();  // digests that claims of this clone name

private:
    Result<std::string> resolve(const std::string& prefix, const char* sql, const char* kind);
    Result<std::vector<RunRow>> read_runs(Statement& get);
    Result<std::vector<ClaimRow>> read_claims(Statement& get);
    Result<std::vector<ClaimRow>> claims_where(const std::string& condition, int most);
    Result<std::vector<double>> claim_scores(const std::string& claim);
    using ProvenScores = std::map<std::pair<std::string, std::string>, double>;  // by candidate and category
    Result<void> read_proven_scores(ProvenScores& scores);
    Result<void> attribute_gains(AttributionInput& input, std::map<std::string, Contributor>& by_key);

    Clone& clone() { return database_->clone(); }
    Result<Statement> prepare(std::string_view sql) { return database_->sql().prepare(sql); }
    Result<std::set<std::string>> texts(const std::string& sql);  // the first column

    IndexDatabase* database_;
};

}  // namespace cultivar
