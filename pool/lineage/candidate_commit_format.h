// Candidates as commits. One commit per kept candidate; format 1:
//   branch    candidates/<id>.<first 8 hex digits of the commit>
//   tree      candidate.toml, mode 100644 (canonical bytes, see pool/types/candidate.h), and its files (candidate_tree.h)
//   parents   the candidates it came from: none = a seed or an import, one = an improvement, two = a cross, sorted
//   author, committer   "cultivar <pool@cultivar.invalid>", +0000; date = newest parent + 1 s, or the pool's creation
//   message   a pure function of tree and parents, so that independent finds of one candidate make the same object:
//             subject, blank line, changes, blank line, trailers. A change is "<gene> <before> -> <after>" in canonical
//             TOML, "unset" where the gene is inactive, sorted by gene; against the parent, for a root the defaults. Then
//             come the files: "<path> <before> -> <after>", 8 digits of a digest, "unset" where the file is the task's.
//     root, one parent   subject: the changes joined by ", ", as many as fit 72 characters and at least one, then
//             ", N more"; "the defaults" if there are none; a root's begins with "root: ". Then each change on a line.
//     two parents        subject: "cross of <a8> and <b8>"; then for each gene in which they differ
//             "<gene> = <value> from <a8 or b8>", with ", contested" or ", repaired", and for each file in which they differ
//             "<path> = <digest> from <a8 or b8>" or "<path> = <digest> merged"; trailers Crossover-Base (one a
//             base, or "defaults") and Crossover-Seed. A child with other genes than their cross: "merge of ...", then its candidate.toml.
//     last trailer       Candidate: <id>
// A commit read from elsewhere is accepted only when writing it again from its tree and parents gives its name.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pool/git/repository.h"
#include "pool/lineage/crossover.h"
#include "pool/types/candidate.h"

namespace cultivar {

inline constexpr const char* kCandidateAuthor = "cultivar";
inline constexpr const char* kCandidateEmail = "pool@cultivar.invalid";

std::string candidate_branch(const std::string& candidate_id, const Oid& commit);  // without refs/...
// The id and the 8 digits of "candidates/<id>.<c8>" at the end of a ref's name; nothing when it is not one.
std::optional<std::pair<std::string, std::string>> parse_candidate_branch(const std::string& ref);

// A line for each file in which the parents differ.
std::vector<std::string> file_lines(const Candidate& child, const Candidate& a, const Candidate& b);

// The lines of a cross's message: a line for each gene and file in which the parents differ, then the trailers on its
// bases.
std::string cross_lines(const Cross& merge, const Candidate& a, const Candidate& b);

// As many changes as fit a line of 72 characters, at least one; the rest as a number.
std::string subject_of(const std::vector<GeneChange>& changes);

}  // namespace cultivar
