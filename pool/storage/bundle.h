// A bundle: one commit that carries others as its parents, so that they stay reachable, or travel, under one name.
// Format 1; parents are told apart by their trees:
//   empty tree        the bundle before, in a chain of them; at most one
//   candidate.toml    a candidate's commit (pool/lineage/candidate_commits.h)
//   seg/              the tip of a journal (pool/storage/segment_log.h); its author's name is the writer's
//   weights           an artifact (pool/storage/artifact_commit.h)
//   pool.toml         main or the proposal before, which a pull request must descend from
// A later format of a bundle or of its parents has a marker (pool/storage/format_marker.h).
// Two branches hold bundles: `archive` on the pool itself, a chain of commits with empty trees, each with up to 100
// settled candidates or the journals of contributors without write access; and the head of a pull request, with main's
// tree plus the journal's seg/. Everything in a bundle is checked as if it had come on a branch of its own.
#pragma once

#include <optional>
#include <vector>

#include "pool/git/repository.h"

namespace cultivar {

inline constexpr std::size_t kBundleParents = 100;
inline constexpr const char* kEmptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

struct Bundle {
    bool of_archive = false;  // is its own tree empty, as those of an archive are?
    std::optional<Oid> before, main;
    std::vector<Oid> candidates, journals, artifacts;
};

// Parents of no kind above are passed over. Errors: corrupt (too many parents, or commits and trees of too many bytes),
// newer, git.
Result<Bundle> read_bundle(const Repo& repo, const Oid& commit);

// The commit that carries these, with this tree. Errors: git.
Result<Oid> write_bundle(Repo& repo, const Bundle& bundle, const Oid& tree, const Identity& who,
                         const std::string& message, const Signer& signer);

// The bundles from `tip` back to but without `until` ("": to the first), oldest first. Errors: corrupt ("was rewound"
// when `until` is not among them), git.
Result<std::vector<Bundle>> read_bundles(const Repo& repo, const Oid& tip, const Oid& until);
// The same of the branch `archive`, on which every bundle is an archive's. Anybody may push another commit there first.
Result<std::vector<Bundle>> read_archive(const Repo& repo, const Oid& tip, const Oid& until);

}  // namespace cultivar
