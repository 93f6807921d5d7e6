// Pushes this clone's records, candidates and artifacts.
#pragma once

#include <string>
#include <vector>

#include "pool/index/index.h"
#include "pool/sync/journal_merge.h"
#include "pool/transport/transport.h"

namespace cultivar {

// Where a proposal goes: origin, or somewhere that this clone may write to (a fork: a URL, or a remote's name), or one
// commit for a pull request (pool/storage/bundle.h), on the branch proposal/<writer> of either.
struct Destination {
    std::string to;  // "": origin
    bool as_bundle = false;
};

struct ProposeReport {
    std::size_t records = 0;              // of the journal that are now there and, as far as was known, were not
    std::vector<std::string> candidates;  // ids of branches that are new on the remote
    std::vector<std::string> artifacts;   // digests, likewise
    bool main_moved = false;
    bool verdicts = false;    // did this verifier's ledger grow there?
    bool anything = false;    // is anything there now that was not known to be?
    bool sent_again = false;  // the remote had lost refs and has them again
    std::string proposal;     // the branch of a bundle, or ""
    JournalMerge rejoined;    // this writer's own records that came from elsewhere (pool/sync/journal_merge.h)
    std::vector<PushStatus> refused;
    std::size_t damaged = 0;        // lines of the spool that were no records and were set aside
    std::vector<Refusal> left_out;  // candidates without a claim because of their own trouble
    std::string hint;               // a command that helps with those, or ""
};

// Writes claims and branches for the named candidates (if `ids` is empty: this writer's kept ones without a claim),
// commits the spool, and pushes journal, ledger, branches, artifacts and main in one push. A refused or lost push loses
// nothing: the next propose sends it again. A log of this writer that grew elsewhere is fetched, merged with the local
// one and pushed once more. If the remote has lost refs, all useful ones are sent again. Errors: git (unreachable),
// not_found (no remote, a candidate without a scored run of this writer), io.
Result<ProposeReport> propose(Clone& clone, Index& index, Transport& transport, const std::vector<std::string>& ids,
                              const Destination& destination = {});

}  // namespace cultivar
