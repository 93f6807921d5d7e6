// Weights in the pool: refs/artifacts/<digest> is an orphan commit with fixed author, date and message; its tree holds
// one file, `weights`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pool/git/repository.h"
#include "pool/util/result.h"

namespace cultivar {

inline constexpr std::string_view kArtifactRefs = "refs/artifacts/";
std::string artifact_ref(const std::string& digest);
// The digest, of an artifact's ref; nothing for any other ref.
std::optional<std::string> artifact_of_ref(const std::string& ref);

// Writes the commit and its ref. Errors: busy, git.
Result<void> store_artifact(Repo& repo, const std::string& digest, const std::string& bytes);
// The bytes that an artifact's commit holds, at most `cap_bytes`. Errors: corrupt, when they do not hash to its name.
Result<std::string> check_artifact(const Repo& repo, const Oid& commit, const std::string& digest,
                                   std::int64_t cap_bytes);

}  // namespace cultivar
