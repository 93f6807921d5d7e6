// The tree of a candidate's commit: candidate.toml, and below files/ the source files that it names, at their paths in
// the run's folder. Mode 100644 alone; nothing else.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "pool/git/repository.h"
#include "pool/types/candidate.h"

namespace cultivar {

inline constexpr const char* kCandidateFile = "candidate.toml";
inline constexpr const char* kSourceFolder = "files";

using SourceBlobs = std::map<std::string, Oid>;  // SHA-256 of the bytes, object that holds them

// The candidate that candidate.toml says; its files are not looked at. Errors: corrupt, git.
Result<Candidate> candidate_of_tree(const Repo& repo, const Space& space, const std::string& task_id, const Oid& tree);

// The object that is known to hold the bytes of this digest, if there is one; where the surface has marker lines, only if
// these bytes were found good at this path before.
using KnownObject = std::function<Result<std::optional<Oid>>(const std::string& path, const std::string& sha256)>;

// Checks the files of such a tree: their paths, modes, sizes, marker lines and digests; sizes before anything is read. A
// file that many candidates share is read once. Errors: corrupt, git.
Result<SourceBlobs> check_source(const Repo& repo, const Surface& surface, const Candidate& candidate, const Oid& tree,
                                 const KnownObject& known = {});

// `blobs` must have all files of the candidate.
Oid name_of_candidate_tree(const Candidate& candidate, const SourceBlobs& blobs);
Result<Oid> write_candidate_tree(Repo& repo, const Candidate& candidate, const SourceBlobs& blobs);

}  // namespace cultivar
