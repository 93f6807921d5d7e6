// A cross: two candidates merged gene by gene over their common ancestors. A pure function, so that anyone can
// recompute the child from the commit graph; scores choose which pair to cross, never its content.
//
// For each gene, over complete assignments (inactive genes stand at their defaults):
//   1. base = the value on which all bases agree; no base where they differ. Without a common ancestor the one base is
//      every gene at its default, called "defaults": all that either root brought is kept where the other is silent
//   2. both parents have the same value: that value
//   3. exactly one parent differs from the base: the changed value
//   4. otherwise contested: the first hex digit of SHA-256(seed + " " + gene + " " + value of a + " " + value of b) is
//      even: a's value; odd: b's. seed = SHA-256("cross 1\n" + commit a + "\n" + commit b + "\n" + bases, one a line)
// a and b are the parents sorted by commit name, bases are sorted and at most the 16 lowest count.
// Crosses made before the defaults were a base had none there, and a seed without that line: still read, made no more.
// Files: pool/lineage/file_merge.h.
// Repair: while a constraint of the space is violated, the genes of the first one are all taken from one parent, by the
// same draw with the constraint's left gene's name; if that constraint is violated again, from the other one. After two
// rounds for each constraint the cross is refused.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pool/git/repository.h"
#include "pool/types/candidate.h"

namespace cultivar {

inline constexpr std::size_t kMaxCrossBases = 16;
inline constexpr const char* kDefaultsBase = "defaults";

struct CrossParent {
    Oid commit;
    Candidate candidate;
};

struct CrossOrigin {
    std::string gene;
    std::string value;  // canonical TOML
    char from = 'a';    // 'a' or 'b'
    bool contested = false;
    bool repaired = false;
};

struct Cross {
    Candidate child;
    std::vector<CrossOrigin> origins;  // the genes in which the parents differ, by name
    std::vector<Oid> bases;            // those that counted, or kDefaultsBase
    std::string seed;
};

// `a` and `b` in any order; `bases` pairs each base's commit with its complete genes, defaults_base() where they have
// none. Errors: unfit, when the child equals a parent or no repair helps.
Result<Cross> cross(const Space& space, const std::string& task_id, const CrossParent& a, const CrossParent& b,
                    std::vector<std::pair<Oid, Genes>> bases, SourceFiles files = {});

Result<std::pair<Oid, Genes>> defaults_base(const Space& space);

// The same rule where the commits are not known (a rebase, files edited by hand): in the seed, the SHA-256 of each
// canonical TOML stands for its commit. The child may equal a parent. Errors: unfit, when no repair helps.
Result<Cross> cross_of_contents(const Space& space, const std::string& task_id, const Candidate& a, const Candidate& b,
                                const std::optional<Candidate>& base, SourceFiles files = {});

}  // namespace cultivar
