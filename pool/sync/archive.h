// Keeps the number of a pool's refs low: every connection lists every branch, and hosts advise at most a few thousand.
// Settled candidates move from branches of their own into the branch `archive` (pool/storage/bundle.h), where they stay
// reachable under the same commits. Journals and candidates that came through a source (pool/storage/extra_remote.h)
// move there too, ids and signatures unchanged.
#pragma once

#include <string>
#include <vector>

#include "pool/index/index.h"
#include "pool/transport/transport.h"

namespace cultivar {

inline constexpr std::size_t kLiveBranches = 2000;

struct ArchivePlan {
    std::vector<Ref> branches;    // of the remote, to be moved: retired ones, and the oldest beyond `keep`
    std::vector<Oid> candidates;  // that came by a source
    std::vector<Oid> journals;    // likewise
    bool empty() const { return branches.empty() && candidates.empty() && journals.empty(); }
};

// The plan of archiving now: the `keep` newest branches stay. It holds only accepted candidates and journals.
Result<ArchivePlan> plan_archive(Clone& clone, Index& index, std::size_t keep);

struct ArchiveReport {
    std::size_t commits = 0, deleted = 0;
    std::vector<PushStatus> refused;  // branches that the remote would not delete: they are archived all the same
};

// Appends to the branch and pushes it; only then deletes the moved branches on the remote. A kill in between leaves
// branches for the next time to delete. Errors: busy (somebody else archived meanwhile), git.
Result<ArchiveReport> archive(Clone& clone, Index& index, Transport& transport, const ArchivePlan& plan);

// Deletes tracking and local branches of archived candidates here. Returns their number.
Result<std::size_t> drop_archived_branches(Clone& clone, Index& index);

}  // namespace cultivar
