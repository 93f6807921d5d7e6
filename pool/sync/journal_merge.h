// Merges two histories of one writer. A copied clone writes under the same name as its copy, and a clone restored from
// a backup lacks records that it once sent: either finds another tip of its journal (or ledger) on the remote than it
// left. The key is the same, so both histories are this writer's own. The merge keeps the other history as it is and
// appends the records that only this clone has.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pool/clone/clone.h"
#include "pool/transport/transport.h"

namespace cultivar {

struct JournalMerge {
    std::size_t theirs = 0;  // records that this clone did not have
    std::size_t ours = 0;    // its own, appended to them

    void add(const std::optional<JournalMerge>& more);
};

// Merges `theirs`, another tip of this writer's log `ref` with its objects already here, into the local log; returns
// nothing if the log contains it. Records in `theirs` leave the spool; a claim on the same runs is not repeated; no
// other record is lost. Errors: corrupt when another key signed it; busy, git, io.
Result<std::optional<JournalMerge>> merge_log(Clone& clone, const std::string& ref, const Oid& theirs);

// The same for the last fetched tips of this writer's journal and ledger. A tip signed by another key is appended to
// `refused`.
Result<JournalMerge> merge_fetched_logs(Clone& clone, std::vector<RefusedRef>& refused);

// The same for the ref of this name on `remote` (a name or a URL), which it fetches. `ref` may be this writer's
// proposal too (pool/sync/propose.h): its journal is merged, and the local branch continues from it. Errors: git too,
// when unreachable.
Result<std::optional<JournalMerge>> merge_remote_log(Clone& clone, Transport& transport, const std::string& remote,
                                                     const std::string& ref);

}  // namespace cultivar
