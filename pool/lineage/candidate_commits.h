// Reads and writes candidate commits, in the form that pool/lineage/candidate_commit_format.h gives.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pool/git/repository.h"
#include "pool/lineage/ancestry.h"
#include "pool/lineage/candidate_commit_format.h"
#include "pool/lineage/candidate_tree.h"
#include "pool/lineage/crossover.h"
#include "pool/lineage/file_merge.h"
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
// index's database holds the valid ones, and merge bases come from there instead of from git. A table `source` tells in
// which object the bytes of a candidate's file are.
class Lineage {
public:
    // All must outlive the object. Without a database of the caller's, one in memory.
    Lineage(Repo& repo, const Task& task, Database* kept_in = nullptr);

    // Checks everything stated above, ancestors included. Errors: corrupt, git.
    Result<CandidateCommit> read(const Oid& commit);
    // The commit of this candidate with these parents, which must be candidate commits. Errors: not_found (nobody gave the
    // bytes of its files).
    Result<CandidateCommit> write(const Candidate& candidate, std::vector<Oid> parents);
    // The child of two candidate commits, over their best common ancestors or the defaults. Errors: unfit
    // (pool/lineage/crossover.h, pool/lineage/file_merge.h).
    Result<Cross> cross_of(const Oid& a, const Oid& b);

    // Are the bytes of all of its files at hand?
    Result<bool> has_source(const Candidate& candidate);
    // The bytes of a candidate's file or of a task's. Errors: not_found, git.
    Result<std::string> source(const std::string& sha256);
    // Keeps bytes for a candidate that is to come, and gives their digest.
    Result<std::string> add_source(std::string_view bytes);
    // The three-way merge of a file over the base, or over the task's file where there is no base. Errors: as source().
    Result<std::string> merged_file(const FileVersions& file);

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
        Commit commit;
    };
    // A commit on the way from the one that is read to the first of its ancestors.
    struct Visit {
        Oid commit;
        bool waits_for_parents = false;
    };
    Result<void> read_all(std::vector<Visit>& todo);
    void remember_refusal(const std::vector<Visit>& todo, const Error& why);
    Result<void> prepare();
    Result<Ancestry::Node> node_of(const Oid& commit);  // 0: not known to be good
    Result<Oid> oid_of(Ancestry::Node node);
    Result<void> keep(const CandidateCommit& made);
    Result<CandidateCommit> known(const Oid& commit);
    Result<CandidateCommit> check(const Oid& commit, const Commit& raw);
    Result<Candidate> content(const Commit& raw, const Oid& commit);
    Result<std::optional<Oid>> object_of(const std::string& sha256);
    Result<SourceBlobs> blobs_of(const Candidate& candidate);
    Result<void> keep_source(const SourceBlobs& blobs);
    Result<Plan> plan(const Candidate& candidate, const SourceBlobs& blobs, const std::vector<Oid>& parents,
                      Unrelated unrelated);
    Result<std::string> message_of(const Candidate& candidate, const std::vector<CandidateCommit>& parents,
                                   Unrelated unrelated);
    // Over these commits; none: "defaults", or nothing at all.
    Result<Cross> merged(const CandidateCommit& a, const CandidateCommit& b, const std::vector<CandidateCommit>& bases,
                         Unrelated unrelated, SourceFiles files);
    Result<std::vector<CandidateCommit>> bases_of(const Oid& a, const Oid& b);
    Result<const Ancestry*> ancestry();

    Repo& repo_;
    const Task& task_;
    std::string task_id_;
    Database* db_;
    std::optional<Database> own_db_;
    std::optional<Statement> find_, name_, kin_, insert_, object_, put_object_;
    std::optional<Ancestry> ancestry_;                 // read at the first cross
    std::unordered_map<Oid, CandidateCommit> recent_;  // read not long ago
    static constexpr std::size_t kKnownObjects = 20'000;
    std::unordered_map<std::string, Oid> objects_;           // of digests that were asked for not long ago
    std::set<std::pair<std::string, std::string>> good_at_;  // paths and digests of files with marker lines, likewise
    std::unordered_map<Oid, Ancestry::Node> nodes_;  // found in the table not long ago; none is ever taken out of it
    std::unordered_map<Oid, std::shared_ptr<const Error>> refused_;  // and all that descend from them, as far as read
};

}  // namespace cultivar
