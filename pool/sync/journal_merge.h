// One writer, two histories. A clone that was copied writes under one name with its copy, and one that was restored from
// a backup has forgotten what it once sent: either finds its journal (or ledger) on the hosting where it did not leave
// it. The key is the same, so both histories are this writer's own, and they become one again: the other stays as it is,
// what only this clone has is appended to it.
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
    std::size_t ours = 0;    // its own that were put on top of them

    void add(const std::optional<JournalMerge>& more);
};

// Takes `theirs`, the tip of this writer's log `ref` elsewhere, whose objects are here, into the local log; nothing when
// that holds it already. Records of the spool that `theirs` holds leave the spool, and a claim that it makes too, of the
// same runs, is not made twice; no other record is lost. Errors: corrupt when another key signed it; busy, git, io.
Result<std::optional<JournalMerge>> merge_log(Clone& clone, const std::string& ref, const Oid& theirs);

// The same with what the last fetch brought of this writer's journal and ledger. One that another key signed is appended
// to `refused`, by its ref and why.
Result<JournalMerge> merge_fetched_logs(Clone& clone, std::vector<RefusedRef>& refused);

// The same with what `remote` (a name or a URL) holds under the same name now. `ref` may be this writer's proposal too
// (pool/sync/propose.h): the journal that it carries is joined, and the local branch goes on from it. Errors: git too, when
// unreachable.
Result<std::optional<JournalMerge>> merge_remote_log(Clone& clone, Transport& transport, const std::string& remote,
                                                     const std::string& ref);

}  // namespace cultivar
