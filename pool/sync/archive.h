// Keeping a pool's refs few: every connection lists every branch, and hosts advise at most a few thousand. Settled
// candidates move from branches of their own into the branch `archive` (pool/storage/bundle.h), where they stay reachable under
// the same commits; what people without write access sent by a source moves there too, ids and signatures unchanged.
#pragma once

#include <string>
#include <vector>

#include "pool/index/index.h"
#include "pool/transport/transport.h"

namespace cultivar {

inline constexpr std::size_t kLiveBranches = 2000;

struct ArchivePlan {
    std::vector<Ref> branches;    // of the remote, to be folded: what is retired, and the oldest beyond those that stay
    std::vector<Oid> candidates;  // that came by a source
    std::vector<Oid> journals;    // likewise
    bool empty() const { return branches.empty() && candidates.empty() && journals.empty(); }
};

// What archiving would do now: `keep` newest branches stay. Only what intake accepted is in it.
Result<ArchivePlan> plan_archive(Clone& clone, Index& index, std::size_t keep);

struct ArchiveReport {
    std::size_t commits = 0, deleted = 0;
    std::vector<PushStatus> refused;  // branches that the remote would not delete: they are archived all the same
};

// Appends to the branch and pushes it; then, and only then, deletes the folded branches on the remote. A kill in
// between leaves branches that the next time deletes. Errors: busy (somebody else archived meanwhile), git.
Result<ArchiveReport> archive(Clone& clone, Index& index, Transport& transport, const ArchivePlan& plan);

// Tracking and local branches of candidates that the archive holds are dropped here. Returns how many.
Result<std::size_t> drop_archived_branches(Clone& clone, Index& index);

}  // namespace cultivar
