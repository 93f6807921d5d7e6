// What others found, fetched.
#pragma once

#include "pool/index/index.h"
#include "pool/sync/journal_merge.h"
#include "pool/transport/transport.h"

namespace cultivar {

// Fetches main, candidates, journals, ledgers and the archive, forward only: a ref that moved backwards is refused. Never fetches
// artifacts and never checks anything out. A pool.toml that broke the rules of a pool (may_follow) is refused and
// nothing else is taken. A journal of this clone's own that grew elsewhere becomes one with the local one; one that the
// remote has lost is sent again by the next propose. Then the sources (pool/storage/extra_remote.h), each for itself: one that cannot be reached is reported as
// refused. Branches that the archive holds are dropped here. Errors: not_found (no remote), git (unreachable), corrupt.
struct PullReport : RefreshReport {
    JournalMerge rejoined;    // this writer's own records that came from elsewhere (pool/sync/journal_merge.h)
    bool main_moved = false;  // the pool's rules, people or seeds are others now
};
Result<PullReport> pull(Clone& clone, Index& index, Transport& transport);

}  // namespace cultivar
