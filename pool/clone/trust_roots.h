// Trust roots: the keys that may change a pool's list of verifiers. A pool begins without them: anyone with write access
// to main sets the verifiers in allowed_signers. Once a pool has trust roots, allowed_signers changes only with signatures
// of a threshold of the previous holders, and never goes back, whatever is pushed to main. Format 1, on main:
//   trust/<N>.allowed_signers   version N, from 1 on. A file of OpenSSH's form that begins with four lines,
//                                 # cultivar trust root, format 1
//                                 # version N
//                                 # threshold M
//                                 # pool CREATED              (of pool.toml: no root serves in another pool)
//                               then keys. A line's namespaces limit its key: "git" judges, "cultivar-trust" holds the
//                               roots; without any, both. A key with a validity time holds none.
//   trust/<N>.<16 hex>.sig      its signature by the key of that fingerprint, as `ssh-keygen -Y sign -n cultivar-trust`
//                               writes it
//   allowed_signers             the same bytes as the version in force
// Version N is in force once M holders of version N-1 signed it, M being that version's threshold (version 1: its own
// holders and threshold), and N-1 is. A version that lacks signatures waits, and changes nothing.
//
// <state>/seen/roots holds version and digest of the newest version that this clone saw in force. A main with an older
// version, another file under that number, or none, is refused. A new clone trusts main as it is that day; it cannot
// detect a rollback from before. A pool that loses so many keys that fewer than the threshold are left must be replaced
// by another pool.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pool/clone/clone.h"
#include "pool/git/allowed_signers.h"

namespace cultivar {

struct Root {
    int version = 0, threshold = 0;
    std::string text;    // of the whole file
    std::string digest;  // SHA-256 of it
    std::vector<AllowedSigner> holders, verifiers;
    std::set<std::string> signed_by;  // fingerprints, of holders only
};

struct Roots {
    Root now;                          // version 0: the pool has no roots
    std::vector<std::string> digests;  // of every version up to now
    std::optional<Root> waiting;       // the next version, not signed by enough yet
    int needed = 0;                    // signatures that it takes
};

// The trust roots at this commit of main, independent of earlier ones. Errors: corrupt (allowed_signers is not the
// version in force, a file is malformed), git.
Result<Roots> roots_at(const Repo& repo, const Oid& main);
// The verifiers at this commit of main; empty if it has no such file. Errors: as roots_at().
Result<std::vector<AllowedSigner>> verifiers_at(const Repo& repo, const Oid& main);

// May main move so? Errors: corrupt ("rolled back").
Result<void> roots_follow(const Roots& before, const Roots& after);

// Reads the roots of the clone's main, compares them with the last seen ones, and saves them. Errors: corrupt, git, io.
Result<Roots> trusted_roots(const Clone& clone);

using MainFiles = std::vector<std::pair<std::string, std::string>>;
// The files that change main to the next version: these keys (lines of allowed_signers; a header of an older version is
// left off), this threshold, signed by the clone's key if it may, in force at once if that is enough. Replaces a version
// that waits. Errors: usage (no such number of holders, nothing changes), io.
Result<MainFiles> change_roots(const Clone& clone, const Roots& roots, const std::string& signers, int threshold);
// The same for the version that waits, with one more signature. Errors: usage (none waits; this key may not, or did).
Result<MainFiles> sign_roots(const Clone& clone, const Roots& roots);

}  // namespace cultivar
