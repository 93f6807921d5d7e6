// Fetches other contributors' records and candidates.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pool/index/index.h"
#include "pool/sync/journal_merge.h"
#include "pool/transport/transport.h"

namespace cultivar {

// Fetches main, candidates, journals, ledgers and the archive, forward only: a rewound ref is refused. Of a flood of new
// branches it takes a part (pool/sync/ref_choice.h). Never fetches
// artifacts. A new main that breaks a pool's rules (may_follow), its trust roots or a work tree (Repo::check_paths) is
// refused: everything else is taken by the one before, and nobody is stopped by it. A journal of this clone that grew elsewhere is merged with the local one; one that the remote has lost
// is sent again by the next propose. Then fetches the sources (pool/storage/extra_remote.h), each by itself: an
// unreachable one is reported as refused. Moves the local main and its files. Deletes branches of archived candidates here, and
// branches that the remote has deleted if nothing in them is good. Errors: not_found (no remote),
// git (unreachable), corrupt.
struct PullReport : RefreshReport {
    JournalMerge rejoined;  // this writer's own records that came from elsewhere (pool/sync/journal_merge.h)
    std::optional<Error> main_refused;       // the remote's main is not used, and why; `refused` has it too
    bool main_moved = false;                 // the pool's rules, people or seeds are others now
    std::size_t left = 0;                    // branches that the remote offers and that this pull did not take
    std::vector<std::string> changed_terms;  // pool/clone/agreed_terms.h, a sentence each
};
Result<PullReport> pull(Clone& clone, Index& index, Transport& transport);

}  // namespace cultivar
