// Meeting others: pull and propose, the only two places where a pool's refs travel.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pool/index.h"
#include "pool/rejoin.h"
#include "pool/transport.h"

namespace cultivar {

// Fetches main, candidates, journals, ledgers and the archive, forward only: a ref that moved backwards is refused. Never fetches
// artifacts and never checks anything out. A pool.toml that broke the rules of a pool (may_follow) is refused and
// nothing else is taken. A journal of this clone's own that grew elsewhere becomes one with the local one; one that the
// remote has lost is sent again by the next propose. Then the sources (pool/source.h), each for itself: one that cannot be reached is reported as
// refused. Branches that the archive holds are dropped here. Errors: not_found (no remote), git (unreachable), corrupt.
struct PullReport : RefreshReport {
    Rejoined rejoined;        // this writer's own records that came from elsewhere (pool/rejoin.h)
    bool main_moved = false;  // the pool's rules, people or seeds are others now
};
Result<PullReport> pull(Clone& clone, Index& index, Transport& transport);

// Does this clone have a remote to pull from and push to?
Result<bool> has_remote(const Clone& clone);

// Where a proposal goes: origin, or somewhere that this clone may write to (a fork: a URL, or a remote's name), or one
// commit for a pull request (pool/bundle.h), on the branch proposal/<writer> of either.
struct Destination {
    std::string to;  // "": origin
    bool as_bundle = false;
};

struct ProposeReport {
    std::size_t records = 0;              // of the journal that are now there and, as far as was known, were not
    std::vector<std::string> candidates;  // ids whose branches are now on the remote and were not before
    std::vector<std::string> artifacts;   // digests, likewise
    bool main_moved = false;
    bool verdicts = false;    // did this verifier's ledger grow there?
    bool anything = false;    // is anything there now that was not known to be?
    bool sent_again = false;  // the remote had lost what it once had, and has it again
    std::string proposal;     // the branch of a bundle, or ""
    Rejoined rejoined;        // this writer's own records that came from elsewhere (pool/rejoin.h)
    std::vector<PushStatus> refused;
    std::string hint;  // what to run about those, or ""
};

// Writes claims and branches for the candidates named (this writer's kept ones that are not claimed yet when `ids` is
// empty), commits the spool and pushes journal, ledger, branches, artifacts and main in one push. A refused or lost
// push loses nothing: the next propose sends it again. A log of this writer that grew elsewhere is fetched, made one with
// the local one and pushed once more; where the remote has lost what it had, all that is still of use is sent again.
// Errors: git (unreachable), not_found (no remote, a candidate
// without a scored run of this writer), io.
Result<ProposeReport> propose(Clone& clone, Index& index, Transport& transport, const std::vector<std::string>& ids,
                              const Destination& destination = {});

// refs/artifacts/<digest>: an orphan commit with fixed author, date and message, whose tree holds one file, `weights`.
std::string artifact_ref(const std::string& digest);
Result<void> store_artifact(Clone& clone, const std::string& digest, const std::string& bytes);
// The bytes that an artifact's commit holds. Errors: corrupt, when they do not hash to its name.
Result<std::string> check_artifact(Clone& clone, const Oid& commit, const std::string& digest);
// From the local repository, else fetched on demand from the remote or a source: the first whose bytes hash to the digest.
// Errors: not_found; corrupt, when other bytes lie under its name wherever there are any; git.
Result<std::string> load_artifact(Clone& clone, Transport* transport, const std::string& digest);

}  // namespace cultivar
