// A candidate: one assignment of genes, as canonical TOML, named by its content.
//
// Canonical form, the bytes of `candidate.toml` (format 1):
//   - active genes that differ from their defaults, one a line, sorted bytewise by name: `name = value\n`
//   - values as to_toml() writes them
//   - where the candidate brings source files (pool/types/surface.h): a line `[files]`, then one a line, sorted bytewise
//     by path: `"path" = "SHA-256"\n`. The bytes are in the candidate's commit
//   - nothing else: no comments, no blank lines, no other tables; all defaults and no files = no bytes
// id = first 32 hex digits of SHA-256(task id as 64 hex digits + canonical bytes).
// At most 64 KiB. A candidate read from a pool must be canonical to the byte; one that does not hash to its name is
// refused.
#pragma once

#include <string>
#include <string_view>

#include "pool/types/search_space.h"
#include "pool/types/surface.h"

namespace cultivar {

inline constexpr std::size_t kMaxCandidateBytes = 64 * 1024;

struct Candidate {
    std::string id;       // 32 hex digits
    std::string toml;     // canonical
    Genes genes;          // complete: every gene of the space with its value
    SourceFiles files{};  // those that it brings

    bool operator==(const Candidate& other) const { return id == other.id; }
};

// From values over the defaults (any genes of the space, in any state), and files that the space's surface allows.
// Errors: usage.
Result<Candidate> make_candidate(const Space& space, const std::string& task_id, const Genes& changes,
                                 SourceFiles files = {});

// From TOML that a person wrote: tables, comments and any order are welcome. `where` names the source in messages
// (`seeds/small.toml:3:7: ...`). Errors: usage.
Result<Candidate> read_candidate(const Space& space, const std::string& task_id, std::string_view toml,
                                 const std::string& where);

// From canonical bytes of a pool: hostile until proven. Errors: corrupt (not canonical, too large, not in the space).
Result<Candidate> parse_canonical(const Space& space, const std::string& task_id, std::string_view toml);

// The seed of a candidate's run: derived, so that none can be picked. First 12 hex digits (48 bits) of
// SHA-256("<candidate id>:<replicate>"), read as a whole number; replicates count from 0.
std::uint64_t run_seed(const std::string& candidate_id, int replicate);

struct GeneChange {
    std::string gene;
    std::string before, after;  // canonical TOML values; "" where the gene is inactive
};

// The genes in which two complete assignments differ, by name; inactive genes count as absent.
std::vector<GeneChange> gene_changes(const Space& space, const Genes& before, const Genes& after);
// Those, then the files: path, and the first 8 digits of each digest; "" where the file is the task's.
std::vector<GeneChange> candidate_changes(const Space& space, const Candidate& before, const Candidate& after);

// "optim.matrix_lr 0.04 -> 0.05", joined with ", "; "nothing" when empty.
std::string change_text(const std::vector<GeneChange>& changes);

}  // namespace cultivar
