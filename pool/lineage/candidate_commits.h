// Reads and writes candidate commits, in the form that pool/lineage/candidate_commit_format.h gives.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "pool/git/repository.h"
#include "pool/lineage/ancestry.h"
#include "pool/lineage/candidate_commit_format.h"
#include "pool/lineage/crossover.h"
#include "pool/types/task.h"
#include "pool/util/sqlite.h"

namespace cultivar {

struct CandidateCommit {
    Oid oid;
    Candidate candidate;
    std::vector<Oid> parents;
    std::int64_t unix_s = 0;
};

// The local branch of a candidate's commit, made if absent. Errors: busy, git.
Result<void> ensure_candidate_branch(Repo& repo, const CandidateCommit& commit);

// Reads and writes candidate commits of one pool, and checks each at most once: a table (`candidate_commit`) of the
// index's database holds the valid ones, and merge bases come from there instead of from git.
class Lineage {
public:
    // All must outlive the object. Without a database of the caller's, one in memory.
    Lineage(Repo& repo, const Task& task, Database* kept_in = nullptr);

    // Checks everything stated above, ancestors included. Errors: corrupt, git.
    Result<CandidateCommit> read(const Oid& commit);
    // The commit of this candidate with these parents, which must be candidate commits.
    Result<CandidateCommit> write(const Candidate& candidate, std::vector<Oid> parents);
    // The child of two candidate commits, over their best common ancestors or the defaults. Errors: unfit
    // (pool/lineage/crossover.h).
    Result<Cross> cross_of(const Oid& a, const Oid& b);

    // Candidate and parents of a commit that read() accepted; nothing for any other.
    struct Kin {
        std::string candidate;
        std::vector<Oid> parents;
        std::vector<std::string> parent_candidates;
    };
    Result<std::optional<Kin>> kin_of(const Oid& commit);
    // Copies the commits that another lineage of the same pool accepted; this one must not know any commit yet.
    Result<void> adopt(Lineage& other);

    // The table's making and undoing, for whoever owns the database.
    static const char* const kTable;
    static const char* const kDropTable;

private:
    // The base for a cross of two candidates without a common ancestor; older programs used none.
    enum class Unrelated { over_defaults, over_nothing };
    struct Plan {
        CandidateCommit made;
        Commit commit;  // its tree holds the candidate alone
    };
    Result<void> prepare();
    Result<Ancestry::Node> node_of(const Oid& commit);  // 0: not known to be good
    Result<Oid> oid_of(Ancestry::Node node);
    Result<void> keep(const CandidateCommit& made);
    Result<CandidateCommit> known(const Oid& commit);
    Result<CandidateCommit> check(const Oid& commit, const Commit& raw);
    Result<Candidate> content(const Commit& raw, const Oid& commit);
    Result<Plan> plan(const Candidate& candidate, const std::vector<Oid>& parents, Unrelated unrelated);
    Result<std::string> message_of(const Candidate& candidate, const std::vector<CandidateCommit>& parents,
                                   Unrelated unrelated);
    Result<Cross> merged(const Oid& a, const Oid& b, Unrelated unrelated);
    Result<const Ancestry*> ancestry();

    Repo& repo_;
    const Task& task_;
    std::string task_id_;
    Database* db_;
    std::optional<Database> own_db_;
    std::optional<Statement> find_, name_, kin_, insert_;
    std::optional<Ancestry> ancestry_;                 // read at the first cross
    std::unordered_map<Oid, CandidateCommit> recent_;  // read not long ago
    std::unordered_map<Oid, Ancestry::Node> nodes_;    // found in the table not long ago; none is ever taken out of it
};

}  // namespace cultivar
