// The rules of a pool's hosting for one pushed ref, for git's `update` hook. Fast and local: it checks the commit that
// arrives and its parents, not their ancestry; `pull` checks everything.
//   main                        only forward; a pool.toml that may follow the one before (pool/types/task.h); a readable
//                               allowed_signers, by the trust roots where there are any (pool/clone/trust_roots.h)
//   candidates/<id>.<c8>        new names only; the tree is candidate.toml, canonical, of this id, with the source files that
//                               it names and the task's surface allows (pool/lineage/candidate_tree.h); c8 is the commit's; author, date and trailer as pool/lineage/candidate_commits.h says; parents are candidates
//   journal/<writer>            only forward, nothing rewritten; the tip is signed by the key in the writer's name
//   ledger/<verifier>           the same, and the key stands in allowed_signers on main and is valid by the hosting's clock
//   proposal/<writer>           only forward; signed by the key in the writer's name; on top of a commit of main that is
//                               here, its tree main's with the journal's seg/; parents are candidates, artifacts, that
//                               writer's journal and the proposal before, each as above (pool/storage/bundle.h)
//   archive                     only forward; every new commit is signed, has an empty tree and carries candidates and
//                               journals alone; the host's access rules decide on the key
//   refs/artifacts/<digest>     new names only; content hashes to the name and is within the pool's cap
// Sizes come from headers before anything is read, with the limits of pool/storage/segment_log.h; segments are read one
// at a time, and one push of bundles carries at most 1 GiB.
// Anything else is refused. Candidates, artifacts and proposals may be deleted where the host allows it; nothing else ever is.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>

#include "pool/git/repository.h"

namespace cultivar {

struct RefUpdate {
    std::string ref;    // full
    Oid before, after;  // "": absent
    std::int64_t now_s = std::time(nullptr);
};

// `repo` holds the objects that arrive, main as it was before. Errors: corrupt, with the reason for the pusher; git.
Result<void> check_update(const Repo& repo, const RefUpdate& update, bool may_delete);

// The private memory that check_update() may take in this pool: its artifacts are held in memory. 256 MiB, more only
// where the pool's cap on artifacts asks for it.
std::int64_t update_memory_bytes(const Repo& repo);

}  // namespace cultivar
